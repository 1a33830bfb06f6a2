from os import PathLike
from typing import Any, Mapping, NamedTuple, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, OutlierMixin, TransformerMixin

Path = str | PathLike[str]
Pictures = ArrayLike | Path | Sequence[Path]
Floats = NDArray[np.float32]

__version__: str

class Error(Exception): ...
class InvalidArgument(Error, ValueError): ...
class IoError(Error, OSError): ...
class CorruptFile(Error, ValueError): ...
class Divergence(Error, ArithmeticError): ...
class NotFinite(Error, ValueError): ...

def presets() -> dict[str, str]: ...

class StackedAutoencoder(TransformerMixin, BaseEstimator):
    model_: Any
    loss_curve_: list[float]
    history_: list[Mapping[str, Any]]
    n_iter_: int
    n_features_in_: int
    def __init__(
        self,
        n_components: int | None = ...,
        *,
        stack: str | Sequence[int] | None = ...,
        preset: str = ...,
        budget: float = ...,
        output: str | None = ...,
        l2_normalize: bool = ...,
        image_shape: tuple[int, ...] | None = ...,
        image_size: tuple[int, int] | None = ...,
        channels: int | None = ...,
        standardize: bool | None = ...,
        random_state: int | np.random.RandomState | None = ...,
        n_jobs: int | None = ...,
        memory: int | None = ...,
        checkpoint: Path | None = ...,
        verbose: int = ...,
        validation: float | None = ...,
        epochs: int | None = ...,
        loss: str | None = ...,
        corruption: str | None = ...,
        corruption_level: float | None = ...,
        weight_decay: float | None = ...,
        sparsity_target: float | None = ...,
        sparsity_weight: float | None = ...,
        lifetime_sparsity: float | None = ...,
        augment_shift: float | None = ...,
        augment_rotate: float | None = ...,
        augment_scale: float | None = ...,
        augment_shear: float | None = ...,
        augment_elastic: float | None = ...,
        fine_tune_epochs: int | None = ...,
        fine_tune_corruption_level: float | None = ...,
        fine_tune_learning_rate: float | None = ...,
        fine_tune_loss: str | None = ...,
        fine_tune_from_pca: bool | None = ...,
        untie_in_fine_tuning: bool | None = ...,
        optimizer: str | None = ...,
        learning_rate: float | None = ...,
        momentum: float | None = ...,
        nesterov: bool | None = ...,
        beta1: float | None = ...,
        beta2: float | None = ...,
        epsilon: float | None = ...,
        schedule: str | None = ...,
        step_epochs: int | None = ...,
        step_factor: float | None = ...,
        warmup: float | None = ...,
        clip_norm: float | None = ...,
        batch_size: int | None = ...,
        patience: int | None = ...,
        retries: int | None = ...,
    ) -> None: ...
    def fit(self, X: Pictures, y: Any = ...) -> StackedAutoencoder: ...
    def partial_fit(self, X: Pictures, y: Any = ...) -> StackedAutoencoder: ...
    def transform(self, X: Pictures) -> Floats: ...
    def inverse_transform(self, X: ArrayLike) -> Floats: ...
    def reconstruct(self, X: Pictures) -> Floats: ...
    def score_samples(self, X: Pictures) -> NDArray[np.float64]: ...
    def score(self, X: Pictures, y: Any = ...) -> float: ...
    def get_feature_names_out(self, input_features: Any = ...) -> NDArray[np.object_]: ...
    def save(self, path: Path) -> None: ...
    @classmethod
    def load(cls, path: Path, **parameters: Any) -> StackedAutoencoder: ...
    def export_onnx(self, path: Path, *, part: str = ..., input_type: str = ..., opset: int = ...) -> None: ...
    @property
    def n_features_out_(self) -> int: ...

class Recognition(NamedTuple):
    name: str
    known: bool
    distance: float
    nearest: list[tuple[str, float, str]]

class Gallery(ClassifierMixin, BaseEstimator):
    classes_: NDArray[Any]
    gallery_: Any
    def __init__(
        self,
        autoencoder: StackedAutoencoder | Path | None = ...,
        *,
        metric: str = ...,
        vote: str = ...,
        n_neighbors: int | None = ...,
        false_accept_rate: float = ...,
        n_jobs: int | None = ...,
    ) -> None: ...
    def fit(self, X: Pictures, y: ArrayLike | None = ...) -> Gallery: ...
    def add(self, X: Pictures, y: ArrayLike | None = ...) -> Gallery: ...
    def remove(self, name: Any) -> int: ...
    def predict(self, X: Pictures) -> NDArray[Any]: ...
    def recognize(self, X: Pictures, top: int = ...) -> list[Recognition]: ...
    @property
    def threshold_(self) -> float | None: ...
    def export_onnx(self, path: Path, *, input_type: str = ..., opset: int = ...) -> None: ...
    def save(self, path: Path) -> None: ...
    @classmethod
    def load(cls, path: Path, autoencoder: StackedAutoencoder | Path | None = ..., **parameters: Any) -> Gallery: ...

class PatchMemory(OutlierMixin, BaseEstimator):
    memory_: Any
    threshold_: float
    offset_: float
    promised_: float
    description_: Mapping[str, Any]
    def __init__(
        self,
        *,
        method: str | None = ...,
        autoencoder: StackedAutoencoder | Path | None = ...,
        output: str | None = ...,
        image_size: int = ...,
        tile: int = ...,
        stride: int = ...,
        max_codes: int = ...,
        n_components: int = ...,
        false_alarm: float = ...,
        random_state: int | np.random.RandomState | None = ...,
        n_jobs: int | None = ...,
        memory: int | None = ...,
    ) -> None: ...
    def fit(self, X: Pictures, y: Any = ...) -> PatchMemory: ...
    def anomaly_scores(self, X: Pictures) -> Floats: ...
    def anomaly_maps(self, X: Pictures) -> Floats: ...
    def score_samples(self, X: Pictures) -> Floats: ...
    def decision_function(self, X: Pictures) -> Floats: ...
    def predict(self, X: Pictures) -> NDArray[np.int64]: ...
    def save(self, path: Path) -> None: ...
    @classmethod
    def load(cls, path: Path, **parameters: Any) -> PatchMemory: ...
    def export_onnx(self, path: Path, *, output: str = ..., input_type: str = ..., opset: int = ...) -> None: ...

class Recommender(BaseEstimator):
    model_: Any
    users_: list[str]
    items_: list[str]
    def __init__(
        self,
        *,
        stack: str | None = ...,
        preset: str = ...,
        value: str | None = ...,
        rows: str = ...,
        random_state: int | np.random.RandomState | None = ...,
        n_jobs: int | None = ...,
        memory: int | None = ...,
        validation: float | None = ...,
        epochs: int | None = ...,
        loss: str | None = ...,
        corruption: str | None = ...,
        corruption_level: float | None = ...,
        weight_decay: float | None = ...,
        sparsity_target: float | None = ...,
        sparsity_weight: float | None = ...,
        lifetime_sparsity: float | None = ...,
        augment_shift: float | None = ...,
        augment_rotate: float | None = ...,
        augment_scale: float | None = ...,
        augment_shear: float | None = ...,
        augment_elastic: float | None = ...,
        fine_tune_epochs: int | None = ...,
        fine_tune_corruption_level: float | None = ...,
        fine_tune_learning_rate: float | None = ...,
        fine_tune_loss: str | None = ...,
        fine_tune_from_pca: bool | None = ...,
        untie_in_fine_tuning: bool | None = ...,
        optimizer: str | None = ...,
        learning_rate: float | None = ...,
        momentum: float | None = ...,
        nesterov: bool | None = ...,
        beta1: float | None = ...,
        beta2: float | None = ...,
        epsilon: float | None = ...,
        schedule: str | None = ...,
        step_epochs: int | None = ...,
        step_factor: float | None = ...,
        warmup: float | None = ...,
        clip_norm: float | None = ...,
        batch_size: int | None = ...,
        patience: int | None = ...,
        retries: int | None = ...,
    ) -> None: ...
    def fit(self, X: Any, y: Any = ..., *, users: Sequence[str] | None = ..., items: Sequence[str] | None = ...) -> Recommender: ...
    def recommend(
        self, users: Any = ..., top: int = ..., *, include_known: bool = ...
    ) -> tuple[NDArray[np.object_], Floats]: ...
    def predict(self, users: Any = ...) -> Floats: ...
    def similar_items(self, item: str, top: int = ...) -> list[tuple[str, float]]: ...
    def transform(self, users: Any = ...) -> Floats: ...
    def item_features(self) -> Floats: ...
    def save(self, path: Path) -> None: ...
    @classmethod
    def load(cls, path: Path, **parameters: Any) -> Recommender: ...
    def export_onnx(self, path: Path, *, opset: int = ...) -> None: ...
