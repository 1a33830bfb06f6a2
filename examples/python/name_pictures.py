"""Names the pictures of one folder by those of another, a folder a name: name_pictures.py KNOWN PICTURES"""

import sys

from stackae import Gallery

known, pictures = sys.argv[1:3]
gallery = Gallery("digits").fit(known)
print(f"{len(gallery.gallery_)} pictures of {len(gallery.classes_)} names")
for found in gallery.recognize(pictures, top=2):
    print(f"{found.name} at {found.distance:.3f}, nearest {found.nearest[0][0]}")
