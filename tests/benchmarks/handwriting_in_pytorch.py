"""Graves' handwriting networks as one would write them in PyTorch: the other side of bench_handwriting.py.

It never imports the toolkit. Layers that need no loop are nn.LSTM over the whole sequence; the layer with the window is
an nn.LSTMCell in a Python loop. Formulas: arXiv 1308.0850, equations 18-26 and 46-51.
"""

import math

import torch
from torch import nn
from torch.nn import functional


class HandwritingNetwork(nn.Module):
    """The synthesis network, or with an empty alphabet the prediction network."""

    def __init__(self, alphabet, units, num_layers, num_mixtures, num_gaussians):
        super().__init__()
        self.units, self.num_gaussians = units, num_gaussians
        self.register_buffer("alphabet", torch.tensor([ord(character) for character in alphabet], dtype=torch.int32))
        self.register_buffer("numbers", torch.arange(1.0, 1001.0))  # of the characters in a text
        first = 3 + len(alphabet)
        self.cell = nn.LSTMCell(first, units) if alphabet else None
        self.window = nn.Linear(units, 3 * num_gaussians) if alphabet else None
        sizes = [first + units] * (num_layers - 1) if alphabet else [first] + [first + units] * (num_layers - 1)
        self.lstms = nn.ModuleList(nn.LSTM(size, units, batch_first=True) for size in sizes)
        self.output = nn.Linear(num_layers * units, 6 * num_mixtures + 1)
        # PyTorch's second bias adds nothing to the first: frozen at zero, so that both sides have as many weights.
        for lstm in [self.cell, *self.lstms] if alphabet else self.lstms:
            second = lstm.bias_hh if lstm is self.cell else lstm.bias_hh_l0
            nn.init.zeros_(second).requires_grad_(False)

    def forward(self, offsets, text=None):
        """Offsets (batch, points, 3), code points (batch, characters) -> parameters (batch, points, params)."""
        inputs = functional.pad(offsets[:, :-1], (0, 0, 1, 0))
        hidden, windows = [], []
        if self.cell is not None:
            text = self.one_hot(text)
            state = self.first_state(text)
            steps = []
            for point in inputs.unbind(1):
                state = self.window_step(point, state, text)[0]
                steps.append(state)
            hidden.append(torch.stack([step[0] for step in steps], dim=1))
            windows.append(torch.stack([step[2] for step in steps], dim=1))
        for lstm in self.lstms:
            hidden.append(lstm(torch.cat([inputs, *hidden[-1:], *windows], dim=-1))[0])
        return self.output(torch.cat(hidden, dim=-1))

    def one_hot(self, text):
        return (text[..., None] == self.alphabet).float()

    def first_state(self, text):
        sizes = (self.units, self.units, len(self.alphabet), self.num_gaussians)
        return tuple(text.new_zeros(len(text), size) for size in sizes)

    def window_step(self, point, state, text):
        hidden, cell, window, position = state
        hidden, cell = self.cell(torch.cat([point, window], dim=-1), (hidden, cell))
        height, width, advance = self.window(hidden).clamp(-15, 15).exp().unsqueeze(-1).chunk(3, dim=1)
        position = position + advance[..., 0]
        distance = position[..., None] - self.numbers[: text.shape[1]]
        weights = (height * torch.exp(-width * distance.square())).sum(dim=1)
        window = torch.bmm(weights[:, None], text)[:, 0]
        return (hidden, cell, window, position), weights

    @torch.no_grad()
    def write(self, text, bias, noise):
        """Draws lines (batch, points, 3) from noise (batch, points, 4): uniform, normal, normal, uniform numbers.

        Each line ends where its window leaves the text. Returns a dictionary: the strokes and each one's length.
        """
        ends = (text != 0).sum(dim=1, keepdim=True)
        inside = torch.arange(text.shape[1]) < ends
        text = self.one_hot(text)
        point, state = text.new_zeros(len(text), 3), self.first_state(text)
        states = [None] * len(self.lstms)
        running = torch.ones(len(text), dtype=torch.bool)
        lengths, points = torch.zeros(len(text), dtype=torch.int64), []
        for draw in noise.unbind(1):
            state, weights = self.window_step(point, state, text)
            hidden = [state[0]]
            for number, lstm in enumerate(self.lstms):
                inputs = torch.cat([point, hidden[-1], state[2]], dim=-1)
                output, states[number] = lstm(inputs[:, None], states[number])
                hidden.append(output[:, 0])
            point = sample(self.output(torch.cat(hidden, dim=-1)), draw, bias)
            beyond = weights.gather(1, ends)[:, 0]
            running = running & (beyond <= weights.where(inside, 0.0).amax(dim=1))
            point = point.where(running[:, None], 0.0)
            lengths += running
            points.append(point)
            if not running.any():
                break
        return {"strokes": torch.stack(points, dim=1), "length": lengths}

    def load(self, weights):
        """Takes the toolkit's weights, tensors by "layer/name"; both have gates i f g o, PyTorch has them as rows."""
        own, numbers = {}, range(1, 1 + len(self.lstms))
        if self.cell is not None:
            numbers = range(2, 2 + len(self.lstms))
            first = torch.cat([weights["window/kernel"], weights["window/window_kernel"]])
            own |= {"cell.weight_ih": first.T, "cell.weight_hh": weights["window/recurrent_kernel"].T}
            own |= {"cell.bias_ih": weights["window/bias"], "window.weight": weights["window/position_kernel"].T}
            own |= {"window.bias": weights["window/position_bias"]}
        for index, number in enumerate(numbers):
            own[f"lstms.{index}.weight_ih_l0"] = weights[f"lstm_{number}/kernel"].T
            own[f"lstms.{index}.weight_hh_l0"] = weights[f"lstm_{number}/recurrent_kernel"].T
            own[f"lstms.{index}.bias_ih_l0"] = weights[f"lstm_{number}/bias"]
        own |= {"output.weight": weights["density/kernel"].T, "output.bias": weights["density/bias"]}
        learned = dict(self.named_parameters())
        missing = {name for name, parameter in learned.items() if parameter.requires_grad} ^ own.keys()
        if missing:
            raise ValueError(f"these weights have no counterpart: {sorted(missing)}")
        with torch.no_grad():
            for name, value in own.items():
                learned[name].copy_(value)


def parts(params, bias=None):
    """Raw parameters -> log weights, means and log scales (..., mixtures, 2), correlation's raw value, flag's logit."""
    mixtures = (params.shape[-1] - 1) // 6
    weights, means, scales, raw, logit = params.split([mixtures, 2 * mixtures, 2 * mixtures, mixtures, 1], dim=-1)
    scales = scales.clamp(-12, 12)
    if bias is not None:
        weights, scales = weights * (1 + bias[:, None]), scales - bias[:, None]
    means, scales = means.unflatten(-1, (mixtures, 2)), scales.unflatten(-1, (mixtures, 2))
    return torch.log_softmax(weights, dim=-1), means, scales, raw.clamp(-6, 6), logit[..., 0]


def negative_log_likelihood(params, events):
    """-log p in nats of events (batch, points, 3) under raw parameters (batch, points, 6 * mixtures + 1)."""
    log_weights, means, scales, raw, logit = parts(params)
    log_scale_1, log_scale_2 = scales.unbind(-1)
    # log sqrt(1 - tanh(r)^2)
    log_sech = math.log(2) - raw.abs() - functional.softplus(-2 * raw.abs())
    z1, z2 = ((events[..., None, :2] - means) * torch.exp(-scales)).unbind(-1)
    z2 = (z2 - torch.tanh(raw) * z1) * torch.exp(-log_sech)
    log_normal = -math.log(2 * math.pi) - log_scale_1 - log_scale_2 - log_sech - 0.5 * (z1.square() + z2.square())
    flag = functional.binary_cross_entropy_with_logits(logit, events[..., 2], reduction="none")
    return flag - torch.logsumexp(log_weights + log_normal, dim=-1)


def sample(params, noise, bias):
    """One event (batch, 3) for each parameter vector."""
    log_weights, means, scales, raw, logit = parts(params, bias)
    cumulative = log_weights.exp().cumsum(dim=-1)
    chosen = torch.searchsorted(cumulative, noise[:, :1] * cumulative[:, -1:], right=True)
    chosen = chosen.clamp(max=cumulative.shape[-1] - 1)
    rows = torch.arange(len(params))
    mean, scale, correlation = means[rows, chosen[:, 0]], scales[rows, chosen[:, 0]].exp(), raw.gather(1, chosen).tanh()
    first, second = noise[:, 1:2], noise[:, 2:3]
    normal = torch.cat([first, correlation * first + (1 - correlation.square()).sqrt() * second], dim=-1)
    flag = (noise[:, 3] < torch.sigmoid(logit)).float()
    return torch.cat([mean + scale * normal, flag[:, None]], dim=-1)
