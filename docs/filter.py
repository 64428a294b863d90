#!/usr/bin/env python3
"""Turns the comments of a header (or a document) into what Doxygen reads; the text of one file goes to standard output.

The opening comment becomes that of the file. Overloads that directly follow a documented one, without a blank line or a
comment of their own, share its documentation; so do ops, as tests/structure/test_coverage.cpp reads them, too. Enums and
members do not. Lists have a dash: a line that begins with + or * goes on with a formula. `Shape:` is a heading, not the
class. Line numbers stay."""
import os
import re
import sys

DECLARATION = re.compile(r"^\s*(?!(?:return|if|for|while|else|switch|case|using|namespace|public|private|protected|friend|#|//|\}))[\w:~\[<].*")


def main():
    lines = open(sys.argv[1], encoding="utf-8").read().split("\n")
    if sys.argv[1].endswith(".md"):  # a document stays as it is; that of the root is the site's first page
        if os.path.abspath(sys.argv[1]) == os.path.abspath("README.md"):
            lines[0] += " {#mainpage}"
        sys.stdout.write("\n".join(lines))
        return
    result, shared, pending, depth_of_shared, name_of_shared = [], "", [], -1, ""
    depth, in_opening, open_declaration = 0, True, False
    for number, line in enumerate(lines):
        text = line.strip()
        if in_opening and text.startswith("//") and not text.startswith("///"):
            result.append("///" + line[2:])
            continue
        if in_opening and result:
            result[-1] += " \\file"
        in_opening = False
        if text.startswith("///"):
            line = re.sub(r"^(\s*///\s*)([+*] )", r"\1\\\2", line).replace("Shape:", "%Shape:")
            text = line.strip()
        if text.startswith("///") and not text.startswith("///<"):
            pending.append(text[3:].strip())
            result.append(line)
            continue
        if not text or text.startswith("//") or text.startswith("}") or re.match(r"(public|private|protected):", text):
            if not open_declaration:
                pending, shared = [], ""
        elif not open_declaration and DECLARATION.match(line):
            own = pending or "///<" in line
            name = re.search(r"([\w~]+)\s*\(", line)
            name = name.group(1) if name else ""
            if pending:
                shared, depth_of_shared, name_of_shared = " ".join(pending), depth, name
            elif own:
                pass
            elif shared and (name or text.startswith("template")) and depth == depth_of_shared and (
                name == name_of_shared or "autograd/ops/" in sys.argv[1]
            ):
                line = re.match(r"\s*", line).group() + "/** " + shared + " */ " + line.lstrip()
            pending = []
        code = re.sub(r"//.*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])+'", "", re.sub(r"/\*\*.*?\*/", "", line))
        depth += code.count("{") - code.count("}")
        stripped = code.strip()
        if stripped:
            open_declaration = not stripped.endswith((";", "{", "}", ":")) and not stripped.startswith("#")
        result.append(line)
    sys.stdout.write("\n".join(result))


main()
