"""Tells which pictures are odd beside good ones, and where: find_odd.py GOOD PICTURES"""

import sys

import numpy as np

from stackae import PatchMemory

good, pictures = sys.argv[1:3]
memory = PatchMemory(false_alarm=0.05).fit(good)
for score, label, place in zip(memory.anomaly_scores(pictures), memory.predict(pictures), memory.anomaly_maps(pictures)):
    top, left = np.unravel_index(np.argmax(place), place.shape)
    print(f"{score:.3f}, {'good' if label == 1 else f'odd at {left}, {top}'}")
