"""Figures that every experiment gets, one file each: TITLE, CAPTION, `table(source)`, `draw(source)`."""
