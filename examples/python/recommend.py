"""Recommends from who took what: recommend.py"""

from stackae import Recommender

people = {"ann": "tea milk bread", "bob": "tea milk", "cid": "beer crisps", "dee": "beer crisps nuts", "eve": "tea bread"}
taken = [(person, item) for person, items in people.items() for item in items.split()]
recommender = Recommender(stack="edlae").fit(taken)
items, scores = recommender.recommend(["bob", "cid"], top=1)
print("bob:", items[0, 0], " cid:", items[1, 0])
print("like tea:", recommender.similar_items("tea", top=1)[0][0])
