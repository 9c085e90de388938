"""Settings of sentences and their translations."""

from toolkit.settings.fields import group, setting
from toolkit.settings.running import Run


@group
class Translations(Run):
    """The sentences and their translations."""

    data: str = setting(
        "embedded",
        "embedded[:SENTENCES[:WORDS]], an invented language; embedded:mapping[:SEQUENCES], numbers under a random "
        "function; tsv:FILE, a sentence and its translation in each line, a tab between",
        path=True,
    )
    max_words: int = setting(30, "longest sentence that is read of a file, in words", minimum=1, maximum=1000)
    held_out: float = setting(
        0.2, "share of a file's pairs, half of which is read before the test, half tested", minimum=0.01, maximum=0.9
    )

    def reading(self) -> dict:
        """Gives what `data.translation.load` is asked for, by its arguments' names."""
        return {"source": self.data, **self.only("max_words", "held_out", "seed")}
