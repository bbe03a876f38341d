"""A table as a page of its own, for Snakemake's report."""

import html

import pandas as pd

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .25rem .8rem; border-bottom: 1px solid #d9dde1; text-align: right; }}
th:nth-child(-n+2), td:nth-child(-n+2) {{ text-align: left; }}
</style></head><body><h1>{title}</h1>
{table}
</body></html>
"""


def table_page(table: pd.DataFrame, title: str) -> str:
    """HTML of a table whose first two columns are text and whose others are numbers."""
    body = table.to_html(index=False, border=0, float_format=lambda value: f"{value:.3f}")
    return PAGE.format(title=html.escape(title), table=body)
