"""What several machines are told: Celery's and Kubernetes's launcher run what one machine runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import DagsterK8sJobConfig, construct_dagster_k8s_job

if TYPE_CHECKING:
    from kubernetes.client import V1PodSpec

PROJECT = Path(__file__).parent.parent
DEPLOY = PROJECT / "deploy"


def written(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    """Those of Dagster's Helm chart."""
    found: dict[str, Any] = written(DEPLOY / "values.yaml")
    return found


def test_several_machines_run_what_one_runs_but_for_the_launcher() -> None:
    one, several = written(PROJECT / "dagster.yaml"), written(DEPLOY / "dagster.machines.yaml")
    assert several.pop("run_launcher")["class"] == "CeleryRunLauncher"
    for settings in (one, several):
        del settings["concurrency"]["runs"]["max_concurrent_runs"]
    assert one == several


def test_a_cluster_has_the_limits_and_retries_of_one_machine(values: dict[str, Any]) -> None:
    one, daemon = written(PROJECT / "dagster.yaml"), values["dagsterDaemon"]
    queue = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    assert queue["tagConcurrencyLimits"] == one["concurrency"]["runs"]["tag_concurrency_limits"]
    assert daemon["runRetries"] == {
        "enabled": True,
        "maxRetries": one["run_retries"]["max_retries"],
        "retryOnAssetOrOpFailure": False,
    }
    assert daemon["runMonitoring"]["enabled"]


def test_kubernetes_is_given_a_job_with_the_accounts_their_secrets_and_bounds(
    values: dict[str, Any],
) -> None:
    pod = pod_of_a_sync(values)
    [container] = pod.containers
    assert container.image == "registry.example.net/datto-rmm-fleet:0.1.0"
    [deployment] = values["dagster-user-deployments"]["deployments"]
    for name, source, folder in (
        ("accounts", "config_map", Path(deployment["env"]["FLEET_ACCOUNTS"]).parent),
        ("secrets", "secret", Path(deployment["env"]["FLEET_SECRETS"])),
    ):
        [volume] = [one for one in pod.volumes if one.name == name]
        assert getattr(volume, source)
        [mount] = [one for one in container.volume_mounts if one.name == name]
        assert (mount.mount_path, mount.read_only) == (str(folder), True)
    assert pod.security_context.fs_group == pod.security_context.run_as_user == 10001
    assert container.resources.requests == {"cpu": "250m", "memory": "512Mi"}
    assert pod.restart_policy == "Never"


def pod_of_a_sync(values: dict[str, Any]) -> V1PodSpec:
    """Make the job as the launcher does; Kubernetes's models refuse a key that they do not know."""
    launcher = values["runLauncher"]["config"]["k8sRunLauncher"]
    [deployment] = values["dagster-user-deployments"]["deployments"]
    assert deployment["includeConfigInLaunchedRuns"]["enabled"]
    image = deployment["image"]
    given = {  # what the chart hands on of a deployment: not its security context
        "env_config_maps": ["fleet-fleet-user-env"],
        "volumes": deployment["volumes"],
        "volume_mounts": deployment["volumeMounts"],
        "resources": deployment["resources"],
    }
    config = launcher["runK8sConfig"]
    parts = {
        "container_config": config["containerConfig"],
        "pod_spec_config": config["podSpecConfig"],
        "job_spec_config": config["jobSpecConfig"],
    }
    assert len(parts) == len(config)
    context = K8sContainerContext.create_from_config({"k8s": {**given, "run_k8s_config": parts}})
    job = construct_dagster_k8s_job(
        job_config=DagsterK8sJobConfig(
            job_image=f"{image['repository']}:{image['tag']}",
            dagster_home="/opt/dagster/dagster_home",
        ),
        args=["dagster", "api", "execute_run"],
        job_name="sync-of-acme",
        user_defined_k8s_config=context.run_k8s_config,
    )
    assert job.spec.backoff_limit == 0
    pod: V1PodSpec = job.spec.template.spec
    return pod
