"""Settings of any run: its folder, its training, its devices, what it exports and what it samples."""

from toolkit.settings.fields import group, setting
from toolkit.settings.lists import sizes

_MOST_PIXELS = 4096  # of an exported image's height or width
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@group
class Run:
    """The run."""

    workdir: str | None = setting(
        None, "folder for everything the run writes; again: it resumes [runs/RECIPE]", changeable=True
    )
    mode: str = setting("all", "all: the recipe's phases in order; any other: that phase alone", changeable=True)
    seed: int = setting(0, "seed of the data's order, the first weights and all noise", minimum=0, maximum=4_294_966)
    max_gigabytes: float | None = setting(
        None,
        "most that one file may take in memory, unpacked; left out: what its kind may take, see docs/security.md",
        minimum=0.0,
        maximum=1e6,
        changeable=True,
    )
    verbose: bool = setting(False, "show what TensorFlow prints", changeable=True)

    def only(self, *names: str) -> dict:
        """Gives some settings by name, for a function whose arguments are called the same.

        Args:
            *names: Which.

        Example:

        >>> Run(seed=3).only("seed", "verbose")
        {'seed': 3, 'verbose': False}
        """
        return {name: getattr(self, name) for name in names}


@group
class Training(Run):
    """The training."""

    epochs: int = setting(
        10,
        "passes over the training data; a larger number trains on",
        minimum=1,
        maximum=1_000_000,
        changeable=True,
        remembered=True,
    )
    steps_per_epoch: int | None = setting(
        None, "steps that count as an epoch; left out: the whole training data", minimum=1, maximum=100_000_000
    )
    batch_size: int = setting(32, "examples in a step", minimum=1, maximum=65_536)
    precision: str = setting("float32", "Keras' dtype policy: what is computed in", choices=PRECISIONS)
    jit_compile: bool | None = setting(None, "XLA; left out: on with a GPU, off without", changeable=True)
    checkpoint_minutes: float = setting(
        2.0,
        "minutes between checkpoints inside an epoch; each epoch ends with one too",
        minimum=0.0,
        maximum=100_000.0,
        changeable=True,
    )
    profile_steps: int = setting(
        0,
        "training steps to profile, for TensorBoard's Profile (pip install tensorboard-plugin-profile)",
        minimum=0,
        maximum=1000,
        changeable=True,
    )


@group
class Devices(Training):
    """The devices."""

    strategy: str = setting(
        "single",
        "devices: single; mirrored: all GPUs here; multi_worker: all processes that the environment's TF_CONFIG names",
        choices=("single", "mirrored", "multi_worker"),
        changeable=True,
    )
    num_replicas: int | None = setting(
        None,
        "of --strategy=mirrored; left out: one for each GPU; without GPUs: parts of the CPU, to try it out",
        minimum=1,
        maximum=256,
        changeable=True,
    )
    data_service: str = setting(
        "", "HOST:PORT of a tf.data service that reads for this training; --mode=serve_data starts one", changeable=True
    )
    trusted_network: bool = setting(
        False,
        "needed for --mode=serve_data and --strategy=multi_worker: whoever reaches the ports that TensorFlow opens for "
        "them, at any address of this machine, can run code and read and write files as you, without a password; to be "
        "given only where a firewall or a network of your own keeps everybody else out",
        changeable=True,
    )

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where flags exclude each other, naming them.
        """
        if self.strategy != "single" and self.jit_compile:
            raise ValueError(f"--strategy={self.strategy} cannot have --jit_compile: leave it out.")
        if self.num_replicas and self.strategy != "mirrored":
            raise ValueError(f"--num_replicas={self.num_replicas} is for --strategy=mirrored.")
        if self.mode == "serve_data" and not self.data_service:
            raise ValueError("--mode=serve_data needs --data_service=HOST:PORT, an address of this machine.")
        for wanted, flag in (
            (self.mode == "serve_data", "--mode=serve_data"),
            (self.strategy == "multi_worker", "--strategy=multi_worker"),
        ):
            if wanted and not self.trusted_network:
                raise ValueError(
                    f"{flag} opens a port at all addresses of this machine, and TensorFlow lets whoever reaches it run "
                    "code and read and write files as you, without a password. Where only those whom you trust can "
                    "reach it, behind a firewall or in a network of your own: --trusted_network."
                )
        if (self.num_replicas or 0) > self.batch_size:
            raise ValueError(
                f"--num_replicas={self.num_replicas} cannot share --batch_size={self.batch_size} examples."
            )


@group
class Export(Run):
    """The export."""

    quantize: str = setting(
        "none",
        "also export a smaller .tflite: dynamic: int8 weights; float16: weights; int8: weights and what they multiply; "
        "all: each of them",
        choices=("none", "dynamic", "float16", "int8", "all"),
        changeable=True,
        remembered=True,
    )
    note: str = setting("", "what the card of --mode=ship says of the training", changeable=True)


@group
class WriterExport(Export):
    """The export of what writes texts."""

    max_prompt: int = setting(
        200, "longest prompt of the exported model, in tokens", minimum=1, maximum=100_000, changeable=True
    )
    max_length: int = setting(
        1000, "longest text of the exported model, in tokens", minimum=1, maximum=100_000, changeable=True
    )
    runtime: str = setting(
        "keras",
        "what samples are written with: keras, or the exported model.tflite",
        choices=("keras", "tflite"),
        changeable=True,
    )


@group
class MeasuredExport(Export):
    """The export, whose files are measured."""

    max_measured: int = setting(
        100, "test examples on which each exported file is measured", minimum=1, maximum=10_000_000, changeable=True
    )


@group
class ImageExport(MeasuredExport):
    """The export of what sees images."""

    export_size: str = setting(
        "",
        "HEIGHTxWIDTH of the exported model's images, which it resizes; empty: --image_size",
        changeable=True,
    )
    max_measured: int = 1000

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where the exported size is none, or larger than a model is for.
        """
        _ = self.exported_size

    @property
    def exported_size(self) -> tuple[int, int] | None:
        """Height and width of the exported model's images; None: as it was trained."""
        return next(iter(sizes(self.export_size, "export_size", _MOST_PIXELS)), None)


@group
class MaskExport(MeasuredExport):
    """The export of what tells each pixel's class."""

    export_sizes: str = setting(
        "",
        "HEIGHTxWIDTH of the exported model's images, several between commas; empty: the test images' and half of that",
        changeable=True,
        maximum=200,
    )

    def check(self) -> None:
        """Says what is out of range.

        Raises:
            ValueError: Where an exported size is none, or larger than a model is for.
        """
        _ = self.exported_sizes

    @property
    def exported_sizes(self) -> tuple[tuple[int, int], ...]:
        """Height and width of the exported model's images, several; none: as the test images are."""
        return sizes(self.export_sizes, "export_sizes", _MOST_PIXELS, several=True)


@group
class SoundExport(MeasuredExport):
    """The export of what writes sound."""

    max_seconds: float = setting(
        4.0, "longest sound that the exported model writes", minimum=0.01, maximum=3600.0, changeable=True
    )
    max_measured: int = 20


@group
class Sampling(Run):
    """What is sampled."""

    num_samples: int = setting(4, "samples that are drawn", minimum=1, maximum=1000, changeable=True)
    sample_seed: int = setting(0, "seed of the samples", minimum=0, maximum=4_294_966, changeable=True)


@group
class SoundSampling(Sampling):
    """What is spoken, and who judges it."""

    temperature: float = setting(
        1.0, "1: as the model expects; less: less noise", minimum=0.0, maximum=100.0, changeable=True
    )
    seconds: float | None = setting(
        None,
        "of each sound that --mode=sample makes up; left out: as long as its units, without units 2",
        minimum=0.01,
        maximum=600,
        changeable=True,
    )
    speaker: str = setting("", "who speaks in --mode=sample; empty: each in turn", maximum=1000, changeable=True)
    num_judged: int = setting(
        40, "sounds of each kind that are written and judged in evaluation", minimum=1, maximum=100_000, changeable=True
    )
    judge_epochs: int = setting(8, "epochs of the classifier that judges", minimum=1, maximum=100_000)


@group
class TokenSampling(Sampling):
    """What is sampled token by token."""

    temperature: float = setting(
        0.8,
        "0: the most probable token each time; 1: as the model expects",
        minimum=0.0,
        maximum=100.0,
        changeable=True,
    )
    top_k: int | None = setting(
        None, "draw from the k most probable tokens; left out: from all", minimum=1, maximum=10_000_000, changeable=True
    )


@group
class Study(Run):
    """A study of many trainings."""

    study_folder: str | None = setting(
        None,
        "folder of the study's trainings, which several processes or machines may share, each with a --workdir of its "
        "own [WORKDIR/studies]",
        changeable=True,
    )
    engine: str = setting(
        "processes",
        "what runs the study's trainings: here: this process, one after the other; processes: several on this machine; "
        "ray: several on a Ray cluster, whose machines share the study's folder",
        choices=("here", "processes", "ray"),
        changeable=True,
    )
    num_processes: int | None = setting(
        None,
        "trainings at a time, of --engine=processes and ray; left out: one for each core, at most as many as there are",
        minimum=1,
        maximum=100_000,
        changeable=True,
    )
    address: str = setting(
        "",
        "HOST:PORT of the head of a Ray cluster, or ray://HOST:PORT; empty: --engine=ray starts one on this machine",
        changeable=True,
        maximum=1000,
    )

    def check(self) -> None:
        """Says what does not go together.

        Raises:
            ValueError: Where a flag is for another engine, naming both.
        """
        if self.address and self.engine != "ray":
            raise ValueError(f"--address={self.address!r} is of a Ray cluster, for --engine=ray.")
        if self.num_processes and self.engine == "here":
            raise ValueError(f"--num_processes={self.num_processes} is for --engine=processes or ray.")


@group
class SeededStudy(Study):
    """A study of many trainings, each kind with several seeds."""

    num_seeds: int = setting(
        3, "seeds, 0, 1, 2 and so on, of each kind of training in the study", minimum=1, maximum=1000, changeable=True
    )
