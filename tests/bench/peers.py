#!/usr/bin/python3
"""Peers that the benchmark is measured beside: a request a line on standard input, its seconds on standard output.

unrolled THREADS STEPS              training steps of 784-1000-500-250-30 and back, batch 256, Adam (PyTorch)
convolution THREADS MAPS WEIGHTS N  400 6x6x3 filters over N 32x32 pictures, threshold, pooling by quadrant:
                                    the faster of conv2d and unfold with a matrix product (PyTorch)
knn D THREADS BASE QUERIES          10 nearest neighbours by brute force (scikit-learn)
pca D THREADS ROWS COMPONENTS       principal components (scikit-learn)
edlae THREADS USERS ITEMS OFFSETS COLUMNS  the linear denoising autoencoder of a table (NumPy)
product LIBRARY THREADS N IC OC M   M times a plain matrix product, n x ic by ic x oc (torch or numpy)

Usage: peers.py DATA, the folder of MNIST's IDX files.
"""
import gzip
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

BATCH = 256
nets = {}


def mnist(count):
    with gzip.open(sys.argv[1] + "/train-images-idx3-ubyte.gz") as file:
        raw = file.read(16 + 784 * count)[16:]
    return torch.frombuffer(bytearray(raw), dtype=torch.uint8).reshape(-1, 784).float().div_(255)


def unrolled(threads, steps):
    torch.set_num_threads(threads)
    if "net" not in nets:
        torch.manual_seed(0)
        sizes = [784, 1000, 500, 250, 30]
        layers = []
        for ic, oc in zip(sizes, sizes[1:]):
            layers += [torch.nn.Linear(ic, oc), torch.nn.SiLU()]
        layers[-1] = torch.nn.Identity()
        for ic, oc in zip(sizes[::-1], sizes[-2::-1]):
            layers += [torch.nn.Linear(ic, oc), torch.nn.SiLU()]
        nets["net"] = torch.nn.Sequential(*layers[:-1])
        nets["optimizer"] = torch.optim.Adam(nets["net"].parameters(), lr=1e-3)
        nets["pictures"] = mnist(4096)
    net, optimizer, pictures = nets["net"], nets["optimizer"], nets["pictures"]
    loss_of = torch.nn.BCEWithLogitsLoss(reduction="sum")
    order = torch.arange(len(pictures))
    start = time.perf_counter()
    for i in range(steps):
        first = i * BATCH % len(pictures)
        batch = pictures[order[first:first + BATCH]]
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(net(batch), batch) / len(batch)
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def by_quadrant(codes):
    return F.adaptive_avg_pool2d(codes, 2).flatten(1)


def convolution(threads, maps, weights, n):
    torch.set_num_threads(threads)
    pictures = torch.from_numpy(np.fromfile(maps, dtype=np.float32)).reshape(n, 3, 32, 32)
    filters = torch.from_numpy(np.fromfile(weights, dtype=np.float32)).reshape(400, 3, 6, 6)
    flat = filters.flatten(1).t().contiguous()
    bias = torch.full((400,), -0.5)
    best = None
    with torch.no_grad():
        for kind in ("conv2d", "unfold"):
            start = time.perf_counter()
            for some in pictures.split(64):
                if kind == "conv2d":
                    codes = F.conv2d(some, filters, bias).clamp_(min=0)
                else:
                    patches = F.unfold(some, 6).transpose(1, 2)
                    codes = torch.addmm(bias, patches.reshape(-1, 108), flat).clamp_(min=0)
                    codes = codes.reshape(len(some), 27, 27, 400).permute(0, 3, 1, 2)
                by_quadrant(codes)
            seconds = time.perf_counter() - start
            best = seconds if best is None else min(best, seconds)
    return best


def limited(threads):
    from threadpoolctl import threadpool_limits
    return threadpool_limits(limits=threads)


def knn(d, threads, base, queries):
    from sklearn.neighbors import NearestNeighbors
    rows = np.fromfile(base, dtype=np.float32).reshape(-1, d)
    asked = np.fromfile(queries, dtype=np.float32).reshape(-1, d)
    with limited(threads):
        index = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(rows)
        start = time.perf_counter()
        index.kneighbors(asked)
        return time.perf_counter() - start


def pca(d, threads, rows, components):
    from sklearn.decomposition import PCA
    values = np.fromfile(rows, dtype=np.float32).reshape(-1, d)
    with limited(threads):
        start = time.perf_counter()
        PCA(components).fit(values)
        return time.perf_counter() - start


def edlae(threads, users, items, offsets, columns):
    lengths = np.diff(np.fromfile(offsets, dtype=np.int64))
    x = np.zeros((users, items), dtype=np.float32)
    x[np.repeat(np.arange(users), lengths), np.fromfile(columns, dtype=np.int32)] = 1
    diagonal = np.diag_indices(items)
    with limited(threads):
        start = time.perf_counter()
        counts = np.maximum(x.sum(axis=0), 1)
        gram = x.T @ (lengths.clip(1).astype(np.float32)[:, None] ** np.float32(-0.2) * x)
        gram[diagonal] += 50 + counts
        weights = np.linalg.inv(gram)
        weights /= -np.diag(weights).copy()
        weights *= counts[:, None] ** np.float32(0.2) * counts ** np.float32(-0.2)
        weights[diagonal] = 0
        return time.perf_counter() - start


def product(library, threads, n, ic, oc, times):
    torch.set_num_threads(threads)
    with limited(threads):
        rows, weights = (np.full(shape, 0.5, dtype=np.float32) for shape in ((n, ic), (ic, oc)))
        out = np.empty((n, oc), dtype=np.float32)
        multiply = np.matmul
        if library == "torch":
            rows, weights, out = map(torch.from_numpy, (rows, weights, out))
            multiply = torch.mm
        start = time.perf_counter()
        for _ in range(times):
            multiply(rows, weights, out=out)
        return time.perf_counter() - start


TASKS = {task.__name__: task for task in (unrolled, convolution, knn, pca, edlae, product)}
print("ready", flush=True)
for line in sys.stdin:
    what, *words = line.split()
    words = [int(word) if word.isdigit() else word for word in words]
    print(f"{TASKS[what](*words):.6f}", flush=True)
