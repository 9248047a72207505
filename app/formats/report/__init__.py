"""The ready-made report: one workbook of overview, days, months, profile, heat map, half-hours, gaps and about."""

from app.formats.report.workbook import write

__all__ = ["write"]
