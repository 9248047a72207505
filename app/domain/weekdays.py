"""Days of the week: the words of a link ("weekday", "mon,tue") and the days that they mean."""

from app.domain.errors import BadParameter

NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORDS = {"weekday": frozenset(range(5)), "weekend": frozenset({5, 6})} | {
    name: frozenset({number}) for number, name in enumerate(NAMES)
}


def parse_weekdays(text: str) -> tuple[int, ...]:
    """The days that words with commas between mean, Monday is 0, ascending; none if they mean all. BadParameter."""
    words = text.split(",")
    if not set(words) <= set(WORDS):
        raise BadParameter(
            f"The parameter days is none of {', '.join(WORDS)}.",
            remedy="Write days=weekday, days=weekend, or names with commas between, such as days=mon,tue.",
        )
    if len(set(words)) < len(words):
        raise BadParameter("The parameter days names a day twice.", remedy="Name each day once.")
    days = sorted(frozenset().union(*(WORDS[word] for word in words)))
    return tuple(days) if len(days) < len(NAMES) else ()


def weekdays_text(days: tuple[int, ...]) -> str:
    """The shortest words for these days, Monday is 0."""
    for word, meant in WORDS.items():
        if meant == frozenset(days):
            return word
    return ",".join(NAMES[day] for day in days)
