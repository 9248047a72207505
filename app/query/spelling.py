"""Words that are nearly right, and the known one that was meant."""

from collections.abc import Sequence


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word within two edits of `word`, which has five letters or more, or None."""
    if len(word) < 5:  # noqa: PLR2004 - shorter names are often meant as something else
        return None
    distance, name = min(((_edits(word.lower(), name.lower()), name) for name in known), default=(3, ""))
    return name if distance <= 2 else None  # noqa: PLR2004 - the docstring's


def _edits(word: str, other: str) -> int:
    """How many letters must be put in, taken out or exchanged to make one word of the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        above, row[0] = row[0], i
        for j, with_letter in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (letter != with_letter))
    return row[-1]
