"""Grad-CAM in one dimension: which places of a late layer spoke for a label."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ecgviz.checkpoint import Model
from ecgviz.explain.attention.maps import on_samples, placed
from ecgviz.explain.attribution import Fed, attributed
from ecgviz.explain.method import Method, needs_gradients
from ecgviz.nets.tokens import token_spans
from ecgviz.types import AttentionMap, Beats, Explanation, ModelInput


def grad_cam(model: Model, inputs: ModelInput, beats: Beats, label_index: int, *, seed: int) -> Explanation:
    """Return Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) of the layer that the network names for it.

    Each feature weighs by the mean over places of the logit's gradient; the weighted sum of features is cut at zero,
    as published, so the map shows what speaks for the label and never what speaks against it. It is spread evenly over
    the samples that each place stands for, and is no finer than ``resolution_s``; a place has seen more than that.

    A map has leads only where one encoder reads every lead alone (IMLE-Net). There, places are the tokens of all
    windows of all leads, and a feature has one weight over all of them: Captum's LayerGradCam would take the windows
    for a batch and weigh each by itself. The rest mix leads in the first convolution, and their map has no lead axis.
    """
    net: Any = model.net

    def run(fed: Fed, x: Tensor) -> Tensor:
        features, logit = _features(fed, x, label_index)
        slope = torch.autograd.grad(logit, features)[0]
        axis = features.ndim - 1 if not hasattr(net, "cam_stride") else 1
        elsewhere = [d for d in range(features.ndim) if d != axis]
        weights = slope.mean(dim=elsewhere, keepdim=True)
        return torch.relu((weights * features).sum(dim=axis))

    values = attributed(model, [inputs], run, hooked=True)
    if hasattr(net, "cam_stride"):
        n_samples = int(inputs.mask.sum())
        spans = token_spans(n_samples, net.cam_stride, inputs.fs, inputs.start_s)
        by_place = values[:, : len(spans)].double().numpy(force=True)
        tap = AttentionMap("rhythm", by_place, spans, (), None, "no fixed sum", n_samples / inputs.fs)
    else:
        tap = placed(net, {"beat": values}, inputs)[0]
    params = {"layer": net.cam_layer}
    return on_samples(tap, inputs, method="grad_cam", label=model.labels[label_index], signed=False, params=params)


def _features(fed: Fed, x: Tensor, label_index: int) -> tuple[Tensor, Tensor]:
    """Return what the named layer makes, or pools where it is an attention over tokens, and the logit made of it."""
    net: Any = fed.net
    layer = net.get_submodule(net.cam_layer)
    kept: list[Tensor] = []
    if hasattr(net, "cam_stride"):
        layer.register_forward_hook(lambda module, given, made: kept.append(made))
    else:
        layer.register_forward_pre_hook(lambda module, given: kept.append(given[0]))
    with torch.enable_grad():
        logit = fed(x.requires_grad_())[0, label_index]
    return kept[0], logit


def names_no_layer(model: Model) -> str:
    """Return why there is no Grad-CAM of a model, "" where its network names a layer."""
    if why_not := needs_gradients(model):
        return why_not
    if not hasattr(model.net, "cam_layer"):
        return f"{model.name} names no late convolution whose places Grad-CAM could weigh"
    layer = model.net.cam_layer
    if layer not in dict(model.net.named_modules()):
        return f"{model.name} names a layer for Grad-CAM that it does not have: {layer!r}"
    return ""


CAM_METHODS: Mapping[str, Method] = {
    "grad_cam": Method(
        grad_cam,
        "gradient",
        "Grad-CAM",
        "places of a late layer, weighed by how its features move the logit; only what speaks for the label",
        "Selvaraju et al. 2017, arXiv:1610.02391",
        names_no_layer,
    ),
}
