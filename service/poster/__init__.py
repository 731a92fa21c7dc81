"""The poster that a clinic hangs up: how to join, on one page, as SVG and as PDF."""
