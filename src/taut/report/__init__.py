"""The report: everything a fit found, on one page that opens anywhere.

`write_report` takes the result of choosing and writes one HTML file that needs neither a network nor a server.
Floor 7 of the house; it looks at results and changes nothing, and knows nothing of the command line.
"""

from taut.report.html import write_report

__all__ = ["write_report"]
