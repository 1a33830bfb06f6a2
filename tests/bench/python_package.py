"""The Python package beside scikit-learn's MLPRegressor and PyTorch, and its own overhead over the library, in one run.

    python_package.py MNIST_FOLDER STACKAE_PROGRAM [ROWS]
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")


def mnist(folder, name):
    with gzip.open(Path(folder) / f"{name}-images-idx3-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784).astype(np.float32) / 255


def seconds(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def scikit_learn(X, units, epochs=None, batch=None):
    """The same units there and back, end to end, Adam, ReLU; without epochs by its own settings until it stops."""
    from sklearn.neural_network import MLPRegressor

    settings = {} if epochs is None else {"batch_size": batch, "max_iter": epochs, "n_iter_no_change": epochs + 1, "tol": 0.0}
    network = MLPRegressor(units + units[-2::-1], random_state=0, **settings)
    network.fit(X, X)
    return network.predict, network.n_iter_


def pytorch(X, units, epochs, batch):
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    sizes = [X.shape[1], *units, *units[-2::-1], X.shape[1]]
    layers = []
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        layers.append(torch.nn.Linear(inputs, outputs))
        if i + 2 < len(sizes) and i + 1 != len(units):
            layers.append(torch.nn.SiLU())
    network = torch.nn.Sequential(*layers)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    rows = torch.from_numpy(X)
    for _ in range(epochs):
        order = torch.randperm(len(rows))
        for first in range(0, len(rows), batch):
            some = rows[order[first:first + batch]]
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.mse_loss(network(some), some)
            loss.backward()
            optimizer.step()

    def rebuild(rows):
        with torch.no_grad():
            return network(torch.from_numpy(rows)).numpy()

    return rebuild, epochs


def main(folder, program, rows=60_000):
    from stackae import StackedAutoencoder

    X = np.ascontiguousarray(mnist(folder, "train")[:rows])
    others = np.ascontiguousarray(mnist(folder, "t10k"))

    def error(rebuilt):
        return np.square(rebuilt - others).sum(axis=1).mean()

    own, autoencoder = seconds(lambda: StackedAutoencoder().fit(X))
    told = json.loads(autoencoder.model_.describe())
    units = tuple(layer["output"][-1] for layer in told["layers"])
    batch = told["record"]["config"]["batch_size"]
    stages = {}
    for epoch in autoencoder.history_:
        stages[epoch["stage"]] = stages.get(epoch["stage"], 0) + 1
    print(f"{len(X)} rows, units {units}, batches of {batch}; epochs {stages}")
    epochs = stages["fine-tuning"]
    rebuilt = autoencoder.inverse_transform(autoencoder.transform(others))
    print(f"stackae, layer by layer and end to end: {own:.1f} s, squared error {error(rebuilt):.2f} a test row")
    for name, peer, arguments in (("scikit-learn MLPRegressor", scikit_learn, (epochs, batch)),
                                  ("PyTorch", pytorch, (epochs, batch)),
                                  ("scikit-learn MLPRegressor by its own settings", scikit_learn, ())):
        peer(X[:2 * batch], units, 1, batch)  # all is loaded
        took, (rebuild, done) = seconds(lambda: peer(X, units, *arguments))
        print(f"{name}, the same units end to end alone, {done} epochs: {took:.1f} s, {took / own:.2f} times ours, "
              f"squared error {error(rebuild(others)):.2f}", flush=True)

    some = np.ascontiguousarray(X[:10_000])
    with tempfile.TemporaryDirectory() as temporary:
        autoencoder.save(f"{temporary}/model.stackae")
        some.tofile(f"{temporary}/rows")
        command = [program, f"{temporary}/model.stackae", f"{temporary}/rows", str(some.shape[1])]
        ratios = []
        for _ in range(11):
            here = min(seconds(lambda: autoencoder.transform(some))[0] for _ in range(3))
            there = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            ratios.append(here / there)
    print(f"transform of 10,000 rows beside the same call in C++: {np.median(ratios):.3f} times, "
          f"{min(ratios):.3f} to {max(ratios):.3f}")


main(sys.argv[1], sys.argv[2], *(int(number) for number in sys.argv[3:]))
