"""LIBERO: suites of household tasks for a Panda arm, in MuJoCo through robosuite."""
