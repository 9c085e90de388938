"""The text network as a PyTorch user would write it: one-hot characters, nn.LSTM, a linear layer, the state carried."""

import time

import numpy as np
import torch
from torch import nn


class TextNetwork(nn.Module):
    """`embedding_size` 0: one-hot characters, the toolkit's network with a second bias; otherwise nn.Embedding."""

    def __init__(self, num_tokens, units, embedding_size=0):
        super().__init__()
        self.num_tokens = num_tokens
        self.embedding = nn.Embedding(num_tokens, embedding_size) if embedding_size else None
        self.lstm = nn.LSTM(embedding_size or num_tokens, units, batch_first=True)
        self.head = nn.Linear(units, num_tokens)

    def forward(self, tokens, state=None):
        if self.embedding is None:
            x = nn.functional.one_hot(tokens, self.num_tokens).float()
        else:
            x = self.embedding(tokens)
        hidden, state = self.lstm(x, state)
        return self.head(hidden), state

    def take(self, kernel, recurrent, bias, head, head_bias):
        """Keras' weights; both order the gates i, f, g, o."""
        with torch.no_grad():
            for parameter, array in (
                (self.lstm.weight_ih_l0, kernel.T),
                (self.lstm.weight_hh_l0, recurrent.T),
                (self.lstm.bias_ih_l0, bias),
                (self.lstm.bias_hh_l0, np.zeros_like(bias)),
                (self.head.weight, head),
                (self.head.bias, head_bias),
            ):
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


def nats(model, tokens, targets, state):
    logits, state = model(tokens, state)
    # -1 after the text's end.
    losses = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="sum")
    return losses, tuple(part.detach() for part in state)


def train(model, batches, num_steps, learning_rate, seconds=None):
    """Adam with the recipe's falling step size and norm; the state goes on or begins anew as the batches say."""
    optimizer, state, losses = torch.optim.Adam(model.parameters()), None, []
    for step, batch in zip(range(num_steps), batches, strict=False):
        start = time.perf_counter()
        passed = sum(step >= int(part * num_steps) for part in (0.7, 0.85, 0.95))
        optimizer.param_groups[0]["lr"] = learning_rate / (1, 3, 10, 30)[passed]
        tokens, targets = torch.from_numpy(batch["tokens"]).long(), torch.from_numpy(batch["targets"]).long()
        optimizer.zero_grad()
        total, state = nats(model, tokens, targets, state if batch["continues"][0] else None)
        (total / len(tokens)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimizer.step()
        losses.append(total.item() / batch["targets"].size)
        if seconds is not None:
            seconds.append(time.perf_counter() - start)
    return losses


def bits(model, batches):
    total, count, state = 0.0, 0, None
    with torch.no_grad():
        for batch in batches:
            tokens, targets = torch.from_numpy(batch["tokens"]).long(), torch.from_numpy(batch["targets"]).long()
            losses, state = nats(model, tokens, targets, state)
            total, count = total + losses.item(), count + int((batch["targets"] >= 0).sum())
    return total / count / np.log(2)


def write(model, noise, temperature=0.8):
    """The sampling loop, with the noise given."""
    token, state, text = torch.zeros((1, 1), dtype=torch.long), None, []
    with torch.inference_mode():
        for u in noise:
            logits, state = model(token, state)
            logits = logits[0, -1]
            logits[0] = -1e9  # the unknown token
            shares = torch.cumsum(torch.softmax(logits / temperature, dim=-1), dim=-1)
            token = torch.sum(shares <= u * shares[-1]).reshape(1, 1)
            text.append(int(token))
    return text
