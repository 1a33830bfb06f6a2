"""Learns pictures, rebuilds them, and writes the encoder for other programs: rebuild_and_export.py PICTURES FOLDER"""

import sys

import numpy as np

from stackae import StackedAutoencoder

pictures, folder = sys.argv[1:3]
autoencoder = StackedAutoencoder(n_components=16, stack=(64, 16), verbose=1).fit(pictures)
features = autoencoder.transform(pictures)
rebuilt = autoencoder.inverse_transform(features)
print(f"{len(features)} pictures of {rebuilt.shape[1:]}, {features.shape[1]} features each, "
      f"error {-autoencoder.score(pictures):.4f}")
autoencoder.save(f"{folder}/own.stackae")
autoencoder.export_onnx(f"{folder}/own.onnx")
again = StackedAutoencoder.load(f"{folder}/own.stackae").transform(pictures)
print("the same after loading" if np.array_equal(features, again) else "other features after loading")
