"""Reads an exposition with the reference parsers of the Prometheus Python client; prints families and samples as JSON.

usage: read_exposition.py text|openmetrics FILE
The OpenMetrics parser is the strict one: it refuses whatever the specification does not allow.
"""
import json
import sys

from prometheus_client import parser as text
from prometheus_client.openmetrics import parser as openmetrics

kind, path = sys.argv[1:]
read = {"text": text, "openmetrics": openmetrics}[kind].text_fd_to_metric_families
with open(path, encoding="utf-8", newline="\n") as body:
    families = [
        {
            "name": family.name,
            "type": family.type,
            "unit": family.unit,
            "help": family.documentation,
            "samples": [[sample.name, sample.labels, repr(float(sample.value))] for sample in family.samples],
        }
        for family in read(body)
    ]
json.dump(families, sys.stdout)
