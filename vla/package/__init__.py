"""Packages that strangers reproduce: what goes in, how one is checked, run again and judged.

`checking`, `unpacking`, `environment` and `standalone` import nothing but the standard library: a
package runs them before there is an environment.
"""
