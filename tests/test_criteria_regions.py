"""Where each criterion looks on the grid of one record."""

import numpy as np
import pytest

from ecgviz.criteria import catalogue, evaluate, evaluate_all, ranked, union_region
from ecgviz.criteria.order import clearness
from ecgviz.types import ATOMS, Beats, Finding, Measurements, Region
from tests.criteria_subjects import beats, measurements

FOUR = beats()


def find(label: str, definition: str, measured: Measurements, on: Beats = FOUR) -> Finding:
    findings = evaluate(label, measured, on, age_years=50, sex="male")
    return next(f for f in findings if (f.criterion, f.definition) == (label, definition))


def cells(region: Region) -> set[tuple[str, str]]:
    """Return lead and atom of every cell with weight, over all beats."""
    leads, _, atoms = np.nonzero(region.weight)
    return {(region.leads[lead], ATOMS[atom]) for lead, atom in zip(leads, atoms, strict=True)}


def product(leads: str, atoms: str) -> set[tuple[str, str]]:
    return {(lead, atom) for lead in leads.split() for atom in atoms.split()}


def test_an_acute_infarct_is_sought_in_st_and_an_old_one_in_the_first_part_of_qrs() -> None:
    acute = find("IMI", "acute_udmi2018", measurements()).regions
    assert cells(acute["primary"]) == product("II III aVF", "ST")
    assert cells(acute["support"]) == product("II III aVF", "T1 T2") | product("I aVL", "ST")
    assert acute["primary"].text == "II, III, aVF: J, ST"
    prior = find("IMI", "prior_udmi2018", measurements()).regions
    assert cells(prior["primary"]) == product("II III aVF", "QRSi")
    assert cells(find("LMI", "acute_udmi2018", measurements()).regions["primary"]) == product("I aVL V5 V6", "ST")


def test_roles_have_their_weights_and_share_no_cell() -> None:
    for finding in evaluate_all(measurements(), FOUR, age_years=50, sex="male"):
        seen = np.zeros((12, 4, len(ATOMS)), dtype=bool)
        for role, region in finding.regions.items():
            weight = {"support": 0.5, "context": 0.25}.get(role, 1.0)
            assert set(np.unique(region.weight)) <= {0.0, weight}
            assert region.leads == measurements().leads
            if role != "absence":
                assert not (seen & region.inside).any(), (finding.criterion, finding.definition, role)
                seen |= region.inside


def test_every_definition_has_a_place_but_what_is_a_rate_an_axis_or_the_absence_of_findings() -> None:
    kinds = ("normal", "normal", "normal", "normal", "premature_ventricular", "premature_atrial", "paced")
    mixed = beats(kinds, without_p=(0, 1))
    placeless = {"NORM", "SR", "SBRAD", "STACH", "SARRH", "BRADY", "PAUSE", "LAD", "RAD", "SVARR"}
    for finding in evaluate_all(measurements(), mixed, age_years=50, sex="male"):
        assert ("primary" in finding.regions) == (finding.criterion not in placeless), finding.criterion
    assert cells(find("NORM", "adult", measurements()).regions["support"]) == product(
        " ".join(measurements().leads), "P QRSi QRSm QRSt ST T1 T2"
    )


def test_fibrillation_is_sought_where_the_p_wave_is_missing() -> None:
    mixed = beats(without_p=(0, 2))
    primary = find("AFIB", "esc2020", measurements(), mixed).regions["primary"]
    assert cells(primary) == product("II III aVF V1", "P TP")
    p = primary.weight[:, :, ATOMS.index("P")]
    assert p[:, [0, 2]].sum() == 8
    assert p[:, [1, 3]].sum() == 0
    assert primary.weight[:, :, ATOMS.index("TP")].sum() == 16


def test_a_p_wave_that_is_missing_is_no_place_for_the_pr_interval() -> None:
    primary = find("1AVB", "acc2018", measurements(), beats(without_p=(1,))).regions["primary"]
    assert cells(primary) == product("II V1", "P PR")
    assert primary.weight[:, 1, ATOMS.index("P")].sum() == 0


def test_premature_beats_are_sought_in_themselves_and_their_pause_alone() -> None:
    mixed = beats(("normal", "premature_ventricular", "normal", "premature_atrial", "normal"), without_p=(1,))
    regions = find("PVC", "premature_wide", measurements(), mixed).regions
    everywhere = " ".join(measurements().leads)
    assert cells(regions["primary"]) == product(everywhere, "QRSi QRSm QRSt ST T1 T2")
    assert cells(regions["support"]) == product(everywhere, "TP")
    assert cells(regions["absence"]) == product("II V1", "P")
    for role in ("primary", "support", "absence"):
        assert set(np.nonzero(regions[role].weight)[1]) == {1}
    assert set(np.nonzero(regions["contra"].weight)[1]) == {0, 2, 4}
    assert regions["support"].text == "all leads: TP of premature ventricular beats"
    atrial = find("PAC", "premature_narrow", measurements(), mixed).regions["primary"]
    assert set(np.nonzero(atrial.weight)[1]) == {3}
    assert "primary" not in find("PVC", "premature_wide", measurements()).regions


def test_beats_of_another_kind_carry_no_weight() -> None:
    mixed = beats(("normal", "premature_ventricular", "normal", "normal"))
    of_premature = {"PVC", "PAC", "PRC(S)", "BIGU", "TRIGU"}
    for finding in evaluate_all(measurements(), mixed, age_years=50, sex="male"):
        if finding.criterion in of_premature:
            continue
        for region in finding.regions.values():
            assert region.weight[:, 1].sum() == 0
            assert region.weight[:, [0, 2, 3]].sum() == region.weight.sum()


def test_form_findings_are_sought_in_the_leads_that_are_met() -> None:
    lateral = measurements(per_lead={"t_mv": {"V5": -0.3, "V6": -0.2}})
    assert cells(find("INVT", "udmi2018", lateral).regions["primary"]) == product("V5 V6", "T1 T2")
    everywhere = {lead for lead, _ in cells(find("INVT", "udmi2018", measurements()).regions["primary"])}
    assert everywhere == set(measurements().leads) - {"aVR"}


def test_a_visible_p_wave_speaks_against_fibrillation_and_against_a_ventricular_beat() -> None:
    regions = find("AFIB", "esc2020", measurements(), beats(without_p=(0, 2))).regions
    everywhere = " ".join(measurements().leads)
    assert cells(regions["opposing"]) == product(everywhere, "P")
    assert set(np.nonzero(regions["opposing"].weight)[1]) == {1, 3}
    mixed = beats(("normal", "premature_ventricular", "normal", "premature_ventricular"), without_p=(1,))
    ectopic = find("PVC", "premature_wide", measurements(), mixed).regions
    assert set(np.nonzero(ectopic["opposing"].weight)[1]) == {3}


INFERIOR = {"II": 0.25, "III": 0.35, "aVF": 0.3, "I": -0.1, "aVL": -0.25}


def test_the_mirror_image_of_an_infarct_widens_no_region_and_is_told_after_it() -> None:
    measured = measurements(per_lead={"j_mv": INFERIOR})
    found = evaluate("MI", measured, FOUR, age_years=60, sex="male")
    met = [finding for finding in found if finding.state == "met"]
    assert [finding.criterion for finding in met[:2]] == ["IMI", "INJLA"]
    assert met[0].explained_by == ""
    assert "ST elevation in II, III, aVF" in met[1].explained_by
    assert met[1].explained_by in met[1].caveats[0]
    region = union_region(found)
    assert region is not None
    assert cells(region) == product("II III aVF", "ST")
    alone = measurements(per_lead={"j_mv": {"I": -0.1, "aVL": -0.25}})
    lateral = evaluate("INJLA", alone, FOUR, age_years=60, sex="male")
    assert lateral[0].explained_by == ""
    mirrored = union_region([finding for finding in met if finding.criterion == "INJLA"])
    assert mirrored is not None
    assert cells(mirrored) == product("I aVL V5 V6", "ST")


def test_findings_are_told_by_state_claim_and_clearness() -> None:
    measured = measurements(per_lead={"j_mv": {"V1": 0.12, "II": 0.25, "III": 0.35, "aVF": 0.3, "V2": 0.45, "V3": 0.5}})
    found = ranked(evaluate_all(measured, FOUR, age_years=60, sex="male"))
    states = [finding.state for finding in found]
    assert states == sorted(states, key=("met", "borderline", "not_met", "not_evaluable").index)
    met = [finding for finding in found if finding.state == "met"]
    assert [finding.superclass is None for finding in met] == sorted(finding.superclass is None for finding in met)
    clear = [clearness(finding) for finding in met if finding.superclass and not finding.explained_by]
    assert clear == sorted(clear, reverse=True)
    assert clear[0] > 5


def test_each_voltage_definition_looks_at_its_own_leads() -> None:
    places = {
        definition: {lead for lead, _ in cells(find("LVH", definition, measurements()).regions["primary"])}
        for definition in ("sokolow_lyon", "r_avl", "cornell_voltage", "gubner")
    }
    assert places == {
        "sokolow_lyon": {"V1", "V5", "V6"},
        "r_avl": {"aVL"},
        "cornell_voltage": {"aVL", "V3"},
        "gubner": {"I", "III"},
    }


def test_a_missing_q_wave_has_a_place_of_its_own() -> None:
    absence = find("CLBBB", "aha2009", measurements()).regions["absence"]
    assert cells(absence) == product("I V5 V6", "QRSi")


def test_regions_stand_on_the_leads_of_the_record() -> None:
    two = measurements(leads=("V5", "II"))
    region = find("IMI", "acute_udmi2018", two).regions["primary"]
    assert region.leads == ("V5", "II")
    assert cells(region) == {("II", "ST")}
    assert region.text == "II: J, ST"


def test_the_union_of_a_superclass_holds_every_met_region_and_no_other() -> None:
    inferolateral = measurements(per_lead={"j_mv": dict.fromkeys(("II", "III", "aVF", "V5", "V6"), 0.3)})
    findings = evaluate("MI", inferolateral, FOUR, age_years=50, sex="male")
    assert {f.criterion for f in findings if f.state == "met"} == {"IMI", "LMI", "ILMI"}
    union = union_region(findings)
    assert union is not None
    assert cells(union) == product("II III aVF I aVL V5 V6", "ST")
    assert union.text == (
        "LMI (I, aVL, V5, V6: J, ST) + IMI (II, III, aVF: J, ST) + ILMI (II, III, aVF, V5, V6: J, ST)"
    )
    contra = union_region(findings, "contra")
    assert contra is not None
    assert {atom for _, atom in cells(contra)} == {"P", "TP", "ST", "T1", "T2"}


def test_nothing_met_has_no_union() -> None:
    assert union_region(evaluate("MI", measurements(), FOUR, age_years=50, sex="male")) is None
    assert union_region(evaluate("NORM", measurements(), FOUR, age_years=50, sex="male")) is None


@pytest.mark.parametrize("entry", catalogue(), ids=lambda one: one.id)
def test_every_entry_says_where_evidence_would_be_a_shortcut_or_has_no_place(entry: object) -> None:
    rois = [definition.roi or entry.roi for definition in entry.definitions]  # type: ignore[attr-defined]
    assert all(roi.contra or not roi.primary for roi in rois)
