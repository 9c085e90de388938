"""The same memory in PyTorch, as a person would write it: the exact search is a product and a `topk`."""

import torch


class Memory(torch.nn.Module):
    """`layers.Memory`, training only: keys, values and ages as buffers, written in place."""

    def __init__(self, memory_size, key_size, num_neighbors=256, margin=0.1, age_noise=8.0):
        super().__init__()
        self.num_neighbors, self.margin, self.age_noise = min(num_neighbors, memory_size), margin, age_noise
        self.register_buffer("keys", torch.zeros(memory_size, key_size))
        self.register_buffer("values", torch.full((memory_size,), -1))
        self.register_buffer("ages", torch.zeros(memory_size))

    def forward(self, queries, labels):
        queries = torch.nn.functional.normalize(queries, dim=1)
        with torch.no_grad():
            similarity = queries @ self.keys.T
            similarity[:, self.values < 0] = -2.0
            slots = similarity.topk(self.num_neighbors, dim=1).indices
            same = self.values[slots] == labels[:, None]
            of_class = torch.where(self.values == labels[:, None], -self.ages, -torch.inf)
            newest = of_class.argmax(dim=1)
            first = slots.gather(1, same.float().argmax(dim=1, keepdim=True))[:, 0]
            positive = torch.where(same.any(dim=1), first, newest)
            negative = slots.gather(1, (~same).float().argmax(dim=1, keepdim=True))[:, 0]
            present = self.values[positive] == labels
        near = (queries * self.keys[positive]).sum(dim=1) * present
        far = (queries * self.keys[negative]).sum(dim=1)
        loss = torch.relu(far - near + self.margin).mean()
        with torch.no_grad():
            self.write(queries, labels, slots[:, 0])
        return loss

    def write(self, queries, labels, nearest):
        hit = self.values[nearest] == labels
        self.ages += 1
        oldness = torch.where(self.values < 0, 2.0**30, self.ages)
        oldness = oldness + torch.empty_like(self.ages).uniform_(-self.age_noise, self.age_noise)
        met = nearest[hit]
        self.keys.index_add_(0, met, queries[hit])
        self.keys[met] = torch.nn.functional.normalize(self.keys[met], dim=1)
        oldness[met] = -1
        free = oldness.topk(int((~hit).sum())).indices
        self.keys[free], self.values[free] = queries[~hit], labels[~hit]
        self.ages[met], self.ages[free] = 0, 0


def network(memory_size, key_size):
    """An embedding of small images, and the memory."""
    embedding = torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(32, 64, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Flatten(), torch.nn.Linear(64 * 25, key_size),
    )  # fmt: skip
    return embedding, Memory(memory_size, key_size)


def trained(images, labels, weights, memory_size, key_size):
    """A function that does one step and gives its loss; the weights are Keras', in its order."""
    embedding, memory = network(memory_size, key_size)
    first, first_bias, second, second_bias, dense, dense_bias = map(torch.from_numpy, weights)
    dense = dense.reshape(5, 5, 64, key_size).permute(3, 2, 0, 1).reshape(key_size, -1)  # maps come first here
    given = [first.permute(3, 2, 0, 1), first_bias, second.permute(3, 2, 0, 1), second_bias, dense, dense_bias]
    with torch.no_grad():
        for parameter, value in zip(embedding.parameters(), given, strict=True):
            parameter.copy_(value)
    optimizer = torch.optim.Adam(embedding.parameters(), 1e-3)
    images, labels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels).long()

    def step():
        optimizer.zero_grad()
        loss = memory(embedding(images), labels)
        loss.backward()
        optimizer.step()
        return float(loss)

    return step
