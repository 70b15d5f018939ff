"""The table of methods that ask what the logit does when cells of a record are replaced; valid for every network."""

from collections.abc import Mapping

from ecgviz.explain.ablation import feature_ablation, occlusion
from ecgviz.explain.lime import lime
from ecgviz.explain.method import Method
from ecgviz.explain.shapley import kernel_shap, shapley

PERTURBATION_METHODS: Mapping[str, Method] = {
    "feature_ablation": Method(
        feature_ablation,
        "perturbation",
        "Ablation of waves",
        "what the logit loses when one wave of one beat of one lead is replaced by a baseline",
        "Zeiler and Fergus 2014, arXiv:1311.2901, on cells of the evidence grid",
    ),
    "occlusion": Method(
        occlusion,
        "perturbation",
        "Occlusion",
        "what the logit loses when a short stretch of one lead is replaced by a baseline",
        "Zeiler and Fergus 2014, arXiv:1311.2901",
    ),
    "shapley": Method(
        shapley,
        "perturbation",
        "Shapley values",
        "what each wave of each lead adds to the logit, on average over all orders in which they can join",
        "Castro et al. 2009, doi:10.1016/j.cor.2008.04.004; Mitchell et al. 2022, arXiv:2104.12199",
        complete=True,
    ),
    "kernel_shap": Method(
        kernel_shap,
        "perturbation",
        "KernelSHAP",
        "the same Shapley values as the solution of a weighted regression over sets of cells",
        "Lundberg and Lee 2017, arXiv:1705.07874; Covert and Lee 2021, arXiv:2012.01536",
        complete=True,
    ),
    "lime": Method(
        lime,
        "perturbation",
        "LIME",
        "the coefficients of a linear model that imitates the logit near this recording",
        "Ribeiro et al. 2016, arXiv:1602.04938",
    ),
}
