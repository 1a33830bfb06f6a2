"""Features by an autoencoder in a pipeline of scikit-learn, with a search over their number: features_for_a_classifier.py"""

from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from stackae import StackedAutoencoder

X, y = load_digits(return_X_y=True)
learn, rest, names, truth = train_test_split(X, y, test_size=0.5, random_state=0, stratify=y)

pipeline = make_pipeline(StackedAutoencoder(stack=(128, 32), epochs=10), LogisticRegression(max_iter=1000))
search = GridSearchCV(pipeline, {"stackedautoencoder__n_components": [8, 32]}, cv=3)
search.fit(learn, names)
print(f"{search.best_params_['stackedautoencoder__n_components']} features: {search.score(rest, truth):.3f} right")
