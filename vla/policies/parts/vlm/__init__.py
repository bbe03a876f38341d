"""Vision-language models as policies: what the families rt2, oft and flow share.

Everything but `config.py` needs `transformers`, and is imported when such a family is built.
"""
