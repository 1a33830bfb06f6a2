#!/usr/bin/python3
"""Epochs of the unrolled 784-1000-500-250-30 autoencoder in PyTorch: the peer of `stackae train --fine-tune`.

Same pictures, batch, arithmetic (f32), activations, loss and optimiser. Prints the seconds of each epoch.
Usage: unrolled_epoch.py IMAGES.gz EPOCHS THREADS
"""
import gzip
import sys
import time

import torch

images, epochs, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(0)
with gzip.open(images) as file:
    raw = file.read()[16:]
pictures = torch.frombuffer(bytearray(raw), dtype=torch.uint8).reshape(-1, 784).float().div_(255)
pictures = pictures[: len(pictures) - min(10000, int(0.05 * len(pictures)))]  # stackae holds out as many

sizes = [784, 1000, 500, 250, 30]
layers = []
for ic, oc in zip(sizes, sizes[1:]):
    layers += [torch.nn.Linear(ic, oc), torch.nn.SiLU()]
layers[-1] = torch.nn.Identity()  # the code is linear
for ic, oc in zip(sizes[::-1], sizes[-2::-1]):
    layers += [torch.nn.Linear(ic, oc), torch.nn.SiLU()]
net = torch.nn.Sequential(*layers[:-1])
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
loss_of = torch.nn.BCEWithLogitsLoss(reduction="sum")

for _ in range(epochs):
    start = time.perf_counter()
    order = torch.randperm(len(pictures))
    for rows in order.split(256):
        batch = pictures[rows]
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(net(batch), batch) / len(batch)
        loss.backward()
        optimizer.step()
    print(f"{time.perf_counter() - start:.3f}", flush=True)
