"""Prometheus: the metric definitions of report as series, and the text that is scraped."""
