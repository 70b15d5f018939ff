"""Architectures only: what a network computes, and what it shows of itself.

A network is called as ``net(x, *, r_s=None, meta=None, mask=None)`` and returns logits (B, C). Each tensor belongs
to a batch of B records:

    x (B, L, T)     standardised samples, zeros in the padding; the twelve leads in the standard order, or those that
                    the contract of an imported network names
    r_s (B, K)      R peaks in seconds from the window's start, NaN after the last one of a record
    meta (B, 2)     age in years and sex (0 male, 1 female), NaN where unknown
    mask (B, T)     True on recorded samples; None when all are

All four are given at each call, whether a network reads them or not. An untrained twin of it, which maps are held
against, is fed float64 once where it has batch normalisations; one that makes tensors of its own in float32 is then fed
float32.

Of itself it says, as class attributes: ``levels``, the attention that ``taps(x, fs=, start_s=, leads=, r_s=, meta=,
mask=)`` returns, a list of `AttentionMap` (empty without any); ``exposes``, a sentence each for "beat", "rhythm" and
"channel", "none" where it shows nothing; ``needs``, what must come with the signal ("r_peaks"); ``pads``, whether a
shorter record may be padded; ``fs``, the one rate in Hz at which it can be fed, where it takes seconds for samples.

A network whose weights can be asked further (`Attentive`) makes ``taps`` in two steps, ``place(attend(x, ...))``, and
names in ``pools`` the levels that its logits are made from: ``attend`` returns those weights as tensors of the logits'
graph, ``place`` puts such weights, or values of their shape, on leads and seconds, ``even(level)`` makes a copy weigh
all alike. One whose tokens take from each other in a stack of blocks has ``mixing(x, r_s=, meta=, mask=)``: a matrix
(K, K) a block and the weights (K,) that pool the last one's tokens.

Optionally it has ``encode`` and ``head``, whose composition is the network. A network whose logits split exactly has
``decompose(x, r_s=, meta=, mask=)``, a bias (C,) and contributions (B, C, 12, W) of leads and windows that add up to
them, and ``spans(x, fs=, start_s=, r_s=, meta=, mask=)``, where the windows of one record begin and end: (W, 2) in
seconds from the record's start. A network with a late convolution names it for Grad-CAM in ``cam_layer``: a module that
makes features (B, F, N), one place every ``cam_stride`` samples; without a stride, an attention that is given features
of the shape of its weights, (..., F), which ``place`` puts on leads and seconds as level "beat".
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from ecgviz.nets.ecg_mamba import ECGMamba
from ecgviz.nets.efficient_ecg import EfficientECG
from ecgviz.nets.imle_net import IMLENet
from ecgviz.nets.imle_net_beats import IMLENetBeats
from ecgviz.nets.res_lstm import ResLSTM
from ecgviz.nets.resnet import ResNet1d
from ecgviz.nets.seeded import seeded
from ecgviz.registry import find

NETS: Mapping[str, Callable[..., nn.Module]] = {
    "ecg_mamba": ECGMamba,
    "efficient_ecg": EfficientECG,
    "imle_net": IMLENet,
    "imle_net_beats": IMLENetBeats,
    "res_lstm": ResLSTM,
    "resnet1d": ResNet1d,
}


def build(name: str, n_labels: int, *, seed: int, config: Mapping[str, Any]) -> nn.Module:
    """Build a freshly initialised network in eval mode.

    Equal seeds give equal weights; the global random generator is left as it was.

    Raises
    ------
    EcgvizError
        For a name that is neither in `NETS` nor an installed entry point of ``ecgviz.nets``.
    """
    constructor = find(NETS, "ecgviz.nets", name)
    with seeded(seed):
        net: nn.Module = constructor(n_labels, **config)
    return net.eval()
