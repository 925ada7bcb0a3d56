"""What a Prometheus reads from the program."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.bot.harness import Program


class Scrape:
    """The families of one page, by the names that they have on it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families: dict[str, Metric] = {
            family.name: family for family in text_string_to_metric_families(text)
        }

    def samples(self) -> Iterator[tuple[str, dict[str, str], float]]:
        for family in self.families.values():
            yield from ((s.name, s.labels, s.value) for s in family.samples)

    def __call__(self, sample: str, **labels: str) -> float:
        """The one sample of that name that has these labels among its own. Raises LookupError."""
        found = [
            value
            for name, own, value in self.samples()
            if name == sample and labels.items() <= own.items()
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} of {sample} {labels}")
        return found[0]

    def series(self) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        return {(name, frozenset(labels.items())) for name, labels, _ in self.samples()}


async def scrape(program: Program) -> Scrape:
    return Scrape((await program.parts.metrics.text()).decode())
