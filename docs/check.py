#!/usr/bin/env python3
"""Reads Doxygen's warnings from standard input: prints those that are errors, and exits with 1 where there are any.

Errors are public functions without documentation, and whatever else Doxygen could not read or resolve. Described by
their class are its constructors, operators and iterators; options and their members speak by their names."""
import re
import sys

UNDOCUMENTED = re.compile(r"warning: (Member|Compound) (?P<what>.*?)(?: \((?P<kind>\w+)\) of (?P<of>\w+) (?P<scope>\S+))? is not documented")
BY_CLASS = re.compile(r"(operator.*|~?\w+|begin|end)\s*\(")


def is_error(line):
    found = UNDOCUMENTED.search(line)
    if not found:
        return "warning:" in line or "error:" in line
    if found["kind"] != "function":
        return False
    name = found["what"].split("(")[0].split("<")[0].strip()
    of = re.sub(r"<.*", "", found["scope"]).split("::")[-1]
    inherited_constructor = found["of"] != "namespace" and found["what"].startswith("Module(")
    return not (name.startswith("operator") or name in ("begin", "end", "choices") or name.lstrip("~") == of or inherited_constructor)


def main():
    errors = sorted({line.rstrip() for line in sys.stdin if is_error(line)})
    for line in errors:
        print(line)
    if errors:
        print(f"{len(errors)} errors: document what a function does, right above it, or behind it after ///<")
    sys.exit(1 if errors else 0)


main()
