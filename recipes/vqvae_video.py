"""Videos carried on in discrete codes: VQ-VAE, van den Oord et al. 2017 (1711.00937, section 4.4).

Given six frames, draws the next ten in the space of codes alone, and decodes them.

  python -m recipes.vqvae_video                                            all phases on moving sprites
  python -m recipes.vqvae_video --workdir=runs/mnist --data=npy:mnist_test_seq.npy --num_embeddings=512
  python -m recipes.vqvae_video --workdir=runs/mnist --mode=sample --num_samples=8 --temperature=1

Here: moving sprites, seed 0, 7.6 minutes of the processor on two busy cores: 1.41 bits a code; squared error of ten
predicted frames 2632, of the last given frame in their place 3618, of the mean frame 2627; sharpness 90 % of the real
frames', the mean's 77.

Paper: frames of DeepMind Lab are pictures; it prints no number of them.

Differs from the paper: no actions are given; sizes that two cores train in minutes.
"""

import numpy as np

from toolkit import data, generation, layers, methods, metrics, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.Videos,
    settings.OneLevelAutoencoder,
    settings.FallingAdam,
    settings.PriorTraining,
    settings.Devices,
    settings.Sampling,
    settings.MeasuredExport,
):
    num_given: int = setting(6, "frames that are given, the others are predicted", paper="6", minimum=1, maximum=10_000)
    num_maps: int = setting(3, "frames before each that the prior reads", minimum=1, maximum=1000)
    filters: int = setting(64, "channels of the prior's blocks", minimum=1, maximum=8192)
    num_blocks: int = setting(4, "gated blocks of the prior", minimum=1, maximum=1000)
    temperature: float = setting(
        0.0, "0: the likeliest codes; 1: as the prior expects", minimum=0.0, maximum=100.0, changeable=True
    )
    max_measured: int = 20
    learning_rate: float = other(1e-3, paper="2e-4")
    batch_size: int = 8
    epochs: int = 4

    def check(self) -> None:
        if not self.num_maps <= self.num_given < self.num_frames:
            raise ValueError(
                f"--num_given={self.num_given} must be at least --num_maps={self.num_maps} and less than "
                f"--num_frames={self.num_frames}."
            )


def load(s):
    """`data.videos.Videos`, their batches (batch, frames, height, width, channels)."""
    return data.videos.load(**s.reading(), batch_size=s.batch_size)


def frames_of(video):
    """A batch of videos as a batch of images."""
    return keras.ops.reshape(video, (-1, *video.shape[2:]))


def train(run):
    """Trains the VQ-VAE on frames, each by itself."""
    s, splits = run.settings, run.data.splits.map(lambda video: methods.image_codes.pair(frames_of(video)))
    height, width, channels = run.data.splits.train.peek().shape[2:]
    if height != width:
        raise ValueError(
            f"--data={s.data}: frames of {height} x {width}; --image_size=SIDE cuts out their middle square."
        )
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(splits.train))
    s.warn_of_few_vectors(s.batch_size * s.num_frames * (height // 2**s.num_downsamplings) ** 2)
    with run.scope():
        codebook = layers.VectorQuantizer(**s.quantizer(), seed=s.seed, name="codebook")
        model = models.vqvae.vqvae(height, channels, codebook=codebook, **s.convolutions())
        methods.image_codes.compiled(model, keras.optimizers.Adam(falling))
    shown = frames_of(run.data.splits.validation.peek()[:2])

    def pictures():
        again = models.vqvae.decoded(model, models.vqvae.codes(model, shown))
        return {"training/reconstructions": visualize.images.beside([("real", shown), ("decoded", again)], most=16)}

    how = {"monitor": "reconstruction_bits_per_dim", "pictures": pictures}
    run.fit(model, splits.train, splits.validation, **how)


def prior(run):
    """Trains the prior of a frame's codes given those of the frames before, on codes that are made once."""
    s, codes = run.settings, encoded(run)
    height, *width = codes.shape[1:]
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(codes.splits.train, s.prior_epochs))
    with run.scope("prior"):
        model = models.pixelcnn.pixelcnn(
            height,
            int(np.prod(width)),
            codes.num_codes,
            num_blocks=s.num_blocks,
            num_maps=s.num_maps,
            head_filters=2 * s.filters,
            filters=s.filters,
        )
        methods.code_likelihood.compiled(model, keras.optimizers.Adam(falling, global_clipnorm=1.0))
    splits = codes.splits.map(methods.code_likelihood.pairs(model))
    run.fit(model, splits.train, splits.validation, stage="prior", epochs=s.prior_epochs, monitor="bits_per_code")


def encoded(run):
    """The codes of all videos, `data.codes.Codes`, made once."""
    s, model = run.settings, run.load()
    encode = methods.image_codes.encoder(model)

    def codes_of(split):
        for video in getattr(run.data.splits, split).dataset(num_epochs=1):
            codes = encode(frames_of(video))[0]
            yield codes.reshape(*video.shape[:2], *codes.shape[1:]), np.zeros(len(video)), None

    shape = (s.num_frames, *models.vqvae.code_shape(model))
    embeddings = np.asarray(model.get_layer("codebook").embeddings)
    how = {"num_codes": s.num_embeddings, **s.only("batch_size", "seed")}
    return data.codes.load_or_write(run.path("codes"), codes_of, shape=shape, embeddings=embeddings, **how)


def trained(run):
    return run.load("prior"), run.load()


def evaluate(run):
    s, (model, autoencoder), codes = run.settings, trained(run), encoded(run)
    images = run.data.splits.test.map(lambda video: (frames_of(video), keras.ops.zeros(())))
    found = methods.image_codes.measured(autoencoder, images.dataset(num_epochs=1))
    found = {"squared_error_of_decoded_frames": found["squared_error"]} | {
        name: found[name] for name in ("reconstruction_bits_per_dim", "codebook_perplexity", "codebook_usage_percent")
    }
    found["bits_per_code"] = methods.code_likelihood.measured(model, codes.splits.test)
    videos = np.concatenate(list(run.data.splits.test.spread(100).dataset(num_epochs=1)))
    given, real = videos[:, : s.num_given], videos[:, s.num_given :]
    predictor = generation.film_prediction.FilmPredictor(model, autoencoder)
    drawn = predictor.predict(given, real.shape[1], temperature=s.temperature, seed=s.seed)
    found |= {
        f"predicted_{name}": value for name, value in metrics.video_prediction.prediction(given, real, drawn).items()
    }
    run.report(found)
    run.picture("predicted", beside(given[:4], real[:4], drawn[:4]))
    film = visualize.videos.animation([np.concatenate(each) for each in zip(given[:8], drawn[:8], strict=True)])
    run.film("predicted", film, rate=6)


def beside(given, real, drawn):
    """Rows of frames: each real video, and below it the same as it was carried on."""
    clips, titles = [], []
    for begun, came, found in zip(given, real, drawn, strict=True):
        clips += [np.concatenate([begun, came]), np.concatenate([begun, found])]
        titles += ["real", f"predicted after {len(begun)} frames"]
    return visualize.videos.filmstrip(clips, titles, marked=given.shape[1])


def sample(run):
    s, (model, autoencoder) = run.settings, trained(run)
    videos = run.data_if_there("test videos, which would be carried on")
    if videos is None:
        return
    shown = videos.splits.test.spread(s.num_samples).arrays()
    given, real = shown[:, : s.num_given], shown[:, s.num_given :]
    predictor = generation.film_prediction.FilmPredictor(model, autoencoder)
    drawn = predictor.predict(given, real.shape[1], temperature=s.temperature, seed=s.sample_seed)
    run.picture("carried_on", beside(given[:8], real[:8], drawn[:8]))
    run.film("carried_on", visualize.videos.animation([*map(np.concatenate, zip(given, drawn, strict=True))]), rate=6)


def export(run):
    s, videos = run.settings, run.data_to_measure()
    measured = videos.splits.test.spread(s.max_measured).arrays().astype("uint8") if videos else ()
    num_frames = s.num_frames - s.num_given
    served = serving.film_prediction.film_prediction(
        *trained(run), num_frames=num_frames, measured=measured, seed=s.seed
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def check_data(run):
    found = data.videos.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: visualize.video_report.pictures(found))


if __name__ == "__main__":
    training.main(Settings, load, train, prior, evaluate, sample, export, untrained=(check_data,), trains=2)
