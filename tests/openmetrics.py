# SPDX-License-Identifier: Apache-2.0
"""openmetrics.py [REGEXP=VALUE]... < TEXT: is TEXT valid OpenMetrics?

Also checks, for each argument, that the values of the samples that match REGEXP
add up to VALUE.  As strict as the specification, and further: a family has
TYPE, UNIT and HELP, in this order, no family and no sample is there twice, and
all have the label "datapath"; values are not negative.
"""

import re
import sys

NAME = r'[a-z][a-z0-9_]*'
LABELS = r'\{((?:%s="(?:[^"\\\n]|\\[\\"n])*",?)*)\}' % NAME
LABEL = r'(%s)="((?:[^"\\]|\\.)*)"' % NAME
SUFFIXES = {'counter': '_total', 'gauge': ''}


def parse(text):
    """Returns the values by sample, as it is written."""
    if not text.endswith('\n# EOF\n'):
        raise ValueError('does not end with "# EOF"')
    lines = text[:-len('# EOF\n')].splitlines()
    samples, families = {}, set()
    family = kind = None
    i = 0
    while i < len(lines):
        m = re.fullmatch(r'# TYPE (%s) (\w+)' % NAME, lines[i])
        if m:
            family, kind = m[1], m[2]
            if family in families or kind not in SUFFIXES:
                raise ValueError('twice or unknown: ' + lines[i])
            families.add(family)
            unit = re.fullmatch('# UNIT %s (%s)' % (family, NAME),
                                lines[i + 1])
            if not unit or not family.endswith('_' + unit[1]):
                raise ValueError('no unit of it: ' + lines[i + 1])
            if not re.fullmatch('# HELP %s .+' % family, lines[i + 2]):
                raise ValueError('no help: ' + lines[i + 2])
            i += 3
            continue
        m = re.fullmatch('(%s)%s ([0-9]+)' % (NAME, LABELS), lines[i])
        if not m or m[1] != (family or '') + SUFFIXES.get(kind, ''):
            raise ValueError('no sample of %s: %s' % (family, lines[i]))
        labels = re.findall(LABEL, m[2])
        names = [name for name, _ in labels]
        if len(set(names)) != len(names) or 'datapath' not in names:
            raise ValueError('labels: ' + lines[i])
        sample = lines[i].rsplit(' ', 1)[0]
        if sample in samples:
            raise ValueError('twice: ' + lines[i])
        samples[sample] = int(m[3])
        i += 1
    return samples


def main():
    samples = parse(sys.stdin.read())
    for argument in sys.argv[1:]:
        pattern, value = argument.rsplit('=', 1)
        found = [n for sample, n in samples.items()
                 if re.search(pattern, sample)]
        if not found or sum(found) != int(value):
            sys.exit('%s: %s instead of %s' % (pattern, found, value))


main()
