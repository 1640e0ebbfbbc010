"""The licence of a package, as its copyright file says."""

import re

# Files that came with the packaging, not with the font or the text.
_PACKAGING = re.compile(r"^debian/")
# What copyright files without fields say, and the name for it.
_SENTENCES = (
    (r"SIL\s+Open\s+Font\s+License|Open\s+Font\s+License", "OFL-1.1"),
    (r"GUST\s+Font\s+License", "GUST-Font-License"),
    (r"Apache\s+License", "Apache-2.0"),
    (r"LPPL|LaTeX\s+Project\s+Public\s+License", "LPPL"),
    (r"\bpublic\s+domain\b|copyright\s+for\s+the\s+.{0,60}\s+is\s+expired", "public-domain"),
    (r"Permission\s+to\s+use,\s+copy,\s+modify,\s+distribute\s+and\s+sell", "permissive (SCOWL)"),
    (r"GNU\s+General\s+Public\s+License|/common-licenses/GPL", "GPL"),
)


def read_licences(copyright_file: str) -> tuple[str, ...]:
    """The licences of what a package is about; those of its packaging are left out.

    Machine-readable files (DEP-5) name them in fields: that of all files (``Files: *``) and those of files
    that are fonts. Others are searched for well-known sentences. Empty when nothing is recognised.
    """
    if not copyright_file.lstrip().startswith("Format:"):
        return _from_sentences(copyright_file)
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", copyright_file):
        fields = _fields(paragraph)
        files = fields.get("files", "").split()
        if "license" not in fields or not files or all(map(_PACKAGING.match, files)):
            continue
        if "*" in files or any(re.search(r"\.(otf|ttf|sfd|ufo)\b", name) for name in files):
            found.append(_name(fields["license"]))
    return tuple(dict.fromkeys(found)) or _from_sentences(copyright_file)


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')}\n{line.strip()}"
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.lower()
            fields[name] = value.strip()
    return fields


def _name(field: str) -> str:
    """The first line of the field is the licence's name, unless somebody wrote the text there."""
    first = field.strip().splitlines()[0].strip() if field.strip() else ""
    longest = 60
    if first and len(first) <= longest and not first.endswith("."):
        return first
    return ", ".join(_from_sentences(field)) or "see the copyright file"


def _from_sentences(text: str) -> tuple[str, ...]:
    return tuple(name for pattern, name in _SENTENCES if re.search(pattern, text, re.IGNORECASE))
