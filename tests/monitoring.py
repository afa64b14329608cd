# SPDX-License-Identifier: Apache-2.0
"""monitoring.py DASHBOARD < TEXT: are the metrics and labels that the queries
of a Grafana dashboard use there in TEXT, of Prometheus's text format?

Prometheus itself adds the label "instance"."""

import json
import re
import sys

SAMPLE = r'(ovs_xdp_\w+)(?:\{(.*)\})? \d+'
HEAD = r'# (TYPE|HELP) (ovs_xdp_\w+) (.+)'


def parse(text):
    """Returns the sets of labels by metric."""
    metrics, types, helps = {}, {}, set()
    for line in text.splitlines():
        sample, head = re.fullmatch(SAMPLE, line), re.fullmatch(HEAD, line)
        if sample:
            name = sample[1]
            metrics.setdefault(name, set()).update(
                re.findall(r'(\w+)="', sample[2] or ''))
            if name not in types or name not in helps:
                sys.exit('%s has no type or no help' % name)
            if (types[name] == 'counter') != name.endswith('_total'):
                sys.exit('%s is no %s' % (name, types[name]))
        elif head and head[1] == 'TYPE':
            types[head[2]] = head[3]
        elif head:
            helps.add(head[2])
        else:
            sys.exit('not of the text format: %s' % line)
    return metrics


def queries(node):
    """All queries in the dashboard's JSON."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ('expr', 'query') and isinstance(value, str):
                yield value
            else:
                yield from queries(value)
    elif isinstance(node, list):
        for value in node:
            yield from queries(value)


def main():
    metrics = parse(sys.stdin.read())
    used = set()
    with open(sys.argv[1], encoding='utf-8') as f:
        dashboard = json.load(f)
    for query in queries(dashboard):
        for name, labels in re.findall(r'(ovs_xdp_\w+)(?:\{([^}]*)\})?',
                                       query):
            if name not in metrics:
                sys.exit('there is no metric %s: %s' % (name, query))
            used.add(name)
            known = metrics[name] | {'instance'}
            wanted = set(re.findall(r'(\w+)(?:=|!=|=~|!~)"', labels))
            for by in re.findall(r'by \(([^)]*)\)', query):
                wanted |= set(by.split(', '))
            for label in wanted - known:
                sys.exit('%s has no label %s: %s' % (name, label, query))
    if len(used) < 10:
        sys.exit('the dashboard uses only %d metrics' % len(used))
    print('%d metrics of %d in the dashboard' % (len(used), len(metrics)))


main()
