#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of pages of documentation, and compares what they print
with what the pages show.

    documentation.py PAGE...        each in namespaces of its own, as root

A literal block whose first line begins with "# " has commands, one after each
such prompt, and behind a command the output that it shows, if any.  Comments
of reStructuredText, which readers do not see, say what else there is to know:

    .. check-docs: machine OPTIONS  what follows is typed on the switch of a
                                    lab of "ovs-xdp-lab setup OPTIONS"; without
                                    this, on a machine with an empty network
    .. check-docs: hidden           indented below are commands that are run
                                    here and not shown, to prepare or to check
    .. check-docs: output           the next block is what the last command
                                    prints
    .. check-docs: fails            the commands of the next block have to fail
    .. check-docs: no-command       the next block is something else
    .. check-docs: skip REASON      the next block is not run
    .. check-docs: page REASON      no block of this page is run

Every literal block is one of these, or the page is wrong.

Output has to be as shown, in all words and lines, but for numbers, which may
be others unless they are part of a name ("h1"), addresses of Ethernet, UUIDs,
and the lengths of spaces and of lines made of dashes.  "..." is any text, or,
on a line of its own, any lines.  What can only be looked at is looked at again
until it is as shown, for ten seconds at most.

Relative links of pages have to lead somewhere."""

import os
import re
import subprocess
import sys
import tempfile
import time

TOP = os.environ["abs_top_srcdir"]
PATIENCE = 10

# Shown text, to regular expressions that match what may stand there instead.
VARIES = [
    (r"\.\.\.", r".*"),
    (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
     r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    (r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}"),
    (r"\b0x[0-9a-f]+", r"0x[0-9a-f]+"),
    (r"(?<![A-Za-z_0-9.])(?<![A-Za-z_]-)[0-9]+(?:[.,][0-9]+)*",
     r"[0-9]+(?:[.,][0-9]+)*"),
    (r"-{2,}", r"-+"),
    (r" +", r" +"),
]
VARIES_RE = re.compile("|".join("(%s)" % shown for shown, _ in VARIES))

# Commands that change nothing.
LOOKS = re.compile(r"(ovs-appctl \S+(show|get-\S+|list\S*|metrics|trace)\b"
                   r"|ovs-appctl dpctl/dump"
                   r"|ovs-vsctl (get|list|show|find|br-exists)\b"
                   r"|ovs-ofctl dump|ovs-xdp-ctl (show|doctor)\b"
                   r"|ip (-\S+ )*(link|addr|neigh|route) show"
                   r"|ethtool -[klgi] )")


class Wrong(Exception):
    """A page is wrong, or a command did not do what it says."""


class Command:
    def __init__(self, line, text, shown=None, fails=False, hidden=False):
        self.line, self.text, self.shown = line, text, shown
        self.fails, self.hidden = fails, hidden


class Page:
    """What there is to do of a page: 'steps' are Commands and machines (a
    string of options), in their order.  'skipped' are what is not run: a
    place, a text and a reason."""

    def __init__(self, name):
        self.name = name
        self.steps, self.skipped = [], []
        self.whole = None       # Why no block is run, if none is.
        self.mark, self.mark_line = None, 0
        try:
            with open(os.path.join(TOP, name), encoding="utf-8") as f:
                self.lines = f.read().split("\n")
        except OSError as e:
            raise Wrong("%s: %s" % (name, e.strerror)) from e
        self.parse()

    def wrong(self, i, what):
        raise Wrong("%s:%d: %s" % (self.name, i + 1, what))

    def indented(self, i):
        """Returns the lines below line 'i' that are indented more than it, as
        pairs of number and text without that indent, blank ones left out."""
        margin = indent_of(self.lines[i])
        found = []
        for j in range(i + 1, len(self.lines)):
            line = self.lines[j]
            if line.strip() and indent_of(line) <= margin:
                break
            if line.strip():
                found.append((j, line.rstrip()))
        cut = min((indent_of(line) for _, line in found), default=0)
        return [(j, line[cut:]) for j, line in found]

    def parse(self):
        end = -1
        for i, line in enumerate(self.lines):
            if i <= end:
                continue
            mark = re.match(r" *\.\. check-docs: (\S+) ?(.*)", line)
            if mark:
                end = self.set_mark(i, mark.group(1), mark.group(2))
            elif re.match(r" *\.\. code-block::|(?! *\.\.).*::$", line):
                block = self.indented(i)
                if not block:
                    self.wrong(i, "an empty literal block")
                end = block[-1][0]
                self.block(block)
        if self.mark:
            self.wrong(self.mark_line,
                       "no block follows \"%s\"" % self.mark[0])

    def set_mark(self, i, word, rest):
        """Returns the number of the mark's last line."""
        below = self.indented(i)
        if word in ("skip", "page"):
            rest = " ".join([rest] + [text for _, text in below])
        if self.mark:
            self.wrong(self.mark_line,
                       "no block follows \"%s\"" % self.mark[0])
        if word == "machine":
            self.steps.append(rest)
        elif word == "hidden":
            self.commands(below, False, True)
        elif word == "page" and rest:
            self.whole = rest
        elif word in ("output", "fails", "no-command") or \
                word == "skip" and rest:
            self.mark, self.mark_line = (word, rest), i
        else:
            self.wrong(i, "do not know \"%s %s\"" % (word, rest))
        return below[-1][0] if below else i

    def block(self, block):
        first, text = block[0]
        mark, reason = self.mark or (None, None)
        self.mark = None
        if mark == "no-command":
            return
        if mark == "skip" or self.whole:
            if len(block) > 1:
                text += " ..."
            self.skipped.append(("%s:%d" % (self.name, first + 1), text,
                                 reason or self.whole))
        elif mark == "output":
            last = self.steps[-1] if self.steps else None
            if not isinstance(last, Command) or last.shown:
                self.wrong(first, "this is no command's output")
            last.shown = [line for _, line in block]
        elif text.startswith("# "):
            self.commands(block, mark == "fails", False)
        else:
            self.wrong(first, "no command, and nothing says what it is")

    def commands(self, block, fails, hidden):
        command = None
        for i, text in block:
            if hidden or text.startswith("# "):
                command = Command(i + 1, text if hidden else text[2:],
                                  None, fails, hidden)
                self.steps.append(command)
            elif command.text.endswith("\\"):
                command.text = command.text[:-1].rstrip() + " " + text.strip()
            else:
                command.shown = (command.shown or []) + [text]

    def check_links(self):
        here = os.path.dirname(os.path.join(TOP, self.name))
        for i, line in enumerate(self.lines):
            for target in re.findall(r"<([\w./-]+\.rst)>`_", line):
                if not os.path.exists(os.path.join(here, target)):
                    self.wrong(i, "%s does not exist" % target)


def indent_of(line):
    return len(line) - len(line.lstrip())


def tidy(lines):
    """Returns 'lines' without blank ones, and with single spaces."""
    return [" ".join(line.split()) for line in lines if line.strip()]


def as_regex(line):
    out, at = "", 0
    for m in VARIES_RE.finditer(line):
        out += re.escape(line[at:m.start()]) + VARIES[m.lastindex - 1][1]
        at = m.end()
    return out + re.escape(line[at:])


def matches(shown, lines):
    """Returns None if 'lines' are as 'shown', or the first line of 'shown'
    that they do not have in its place."""
    shown, lines = tidy(shown), tidy(lines)
    places = {0}                # How many of 'lines' may have been used up.
    for want in shown:
        if want == "...":
            places = set(range(min(places), len(lines) + 1))
            continue
        regex = re.compile(as_regex(want))
        places = {n + 1 for n in places
                  if n < len(lines) and regex.fullmatch(lines[n])}
        if not places:
            return want
    return None if len(lines) in places else "(the end)"


class Machine:
    """Where a page's commands are run."""

    def __init__(self):
        self.enter, self.n = [], 0
        self.env = dict(os.environ, LC_ALL="C", COLUMNS="200")
        self.env.pop("OVS_XDP_LAB_DIR", None)

    def make(self, options):
        self.n += 1
        name = "m%d" % self.n
        lab = os.path.join(TOP, "utilities/ovs-xdp-lab")
        status, out = self.run([], "%s setup --name %s %s"
                               % (lab, name, options))
        if status:
            raise Wrong("cannot make a lab: " + out)
        self.enter = ["nsenter", "--net=/run/netns/%s-switch" % name, "--"]
        for variable in ("RUNDIR", "LOGDIR", "DBDIR", "SYSCONFDIR"):
            self.env["OVS_" + variable] = "/run/ovs-xdp/" + name

    def run(self, enter, text):
        """Returns exit status and output."""
        with tempfile.TemporaryFile("w+", errors="replace") as f:
            try:
                status = subprocess.run(
                    enter + ["bash", "-c", text], stdin=subprocess.DEVNULL,
                    stdout=f, stderr=f, env=self.env, cwd=TOP,
                    timeout=120).returncode
            except subprocess.TimeoutExpired:
                status = 124
            f.seek(0)
            return status, f.read()

    def step(self, command):
        deadline = time.monotonic() + PATIENCE
        while True:
            status, out = self.run(self.enter, command.text)
            missing = matches(command.shown, out.split("\n")) \
                if command.shown is not None else None
            if (status != 0) == command.fails and not missing:
                return
            if not (command.hidden or LOOKS.search(command.text)) \
                    or time.monotonic() > deadline:
                break
            time.sleep(.2)
        if (status != 0) != command.fails:
            raise Wrong("exit status %d:\n%s" % (status, out))
        raise Wrong("it does not print \"%s\" where it should, but:\n%s"
                    % (missing, out))


def run_page(page):
    """In namespaces of this page's own.  Returns whether all was well."""
    for kind, where in ("tmpfs", "/run"), ("sysfs", "/sys"), \
            ("bpf", "/sys/fs/bpf"):
        subprocess.run(["mount", "-t", kind, kind, where], check=True)
    os.mkdir("/run/netns")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    machine = Machine()
    where = page.name
    try:
        for step in page.steps:
            if isinstance(step, Command):
                where = "%s:%d: %s" % (page.name, step.line, step.text)
                print("- " + where, flush=True)
                machine.step(step)
            else:
                machine.make(step)
    except Wrong as e:
        print("FAILED: %s: %s" % (where, e), flush=True)
        for n in range(1, machine.n + 1):
            subprocess.run("grep -E '[|](WARN|ERR|EMER)[|]' "
                           "/run/ovs-xdp/m%d/ovs-vswitchd.log | tail -n 10"
                           % n, shell=True, check=False)
        return False
    return True


def isolated(page):
    """Runs it, if there is anything to run.  Returns whether all was well."""
    if not any(isinstance(step, Command) for step in page.steps):
        return True
    return subprocess.run(
        ["unshare", "-n", "-m", "-p", "-i", "-u", "--fork", "--kill-child",
         "--mount-proc", sys.executable, __file__, "--inside", page.name],
        check=False).returncode == 0


def summary(pages):
    commands = [step for page in pages for step in page.steps
                if isinstance(step, Command) and not step.hidden]
    print("%d pages, %d commands were run, of %d the output was compared"
          % (len(pages), len(commands),
             sum(c.shown is not None for c in commands)))
    for page in pages:
        for where, text, reason in page.skipped:
            print("not run: %s: %s (%s)" % (where, text, reason))


def main(argv):
    if argv[:1] == ["--inside"]:
        return 0 if run_page(Page(argv[1])) else 1
    pages, failed = [], 0
    for name in argv:
        try:
            page = Page(name)
            page.check_links()
            pages.append(page)
        except Wrong as e:
            print("FAILED: %s" % e)
            failed += 1
    failed += sum(not isolated(page) for page in pages)
    sys.stdout.flush()
    if failed:
        print("%d of %d pages failed" % (failed, len(argv)))
        return 1
    summary(pages)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
