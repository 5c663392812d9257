"""Turns what is asked of Railway into GraphQL documents: every operation that there is, and its name.

Their fields are those of Railway's own schema (railwayapp/cli, src/gql/schema.json, commit 013a43ee, read 2026-11-25);
a test holds them to it.
"""

from __future__ import annotations

DEPLOYMENTS = """query Deployments($input: DeploymentListInput!, $first: Int) {
  deployments(input: $input, first: $first) { edges { node { id status createdAt meta } } }
}"""
DEPLOYMENT = """query Deployment($id: String!) {
  deployment(id: $id) { id status canRollback projectId environmentId serviceId meta }
}"""
ROLLBACK = """mutation DeploymentRollback($id: String!) {
  deploymentRollback(id: $id)
}"""
PROJECT_TOKEN = """query ProjectToken {
  projectToken { projectId environmentId }
}"""
ENVIRONMENT = """query Environment($id: String!) {
  environment(id: $id) { id projectId }
}"""
VARIABLES = """query Variables($projectId: String!, $environmentId: String!, $serviceId: String!) {
  variables(projectId: $projectId, environmentId: $environmentId, serviceId: $serviceId, unrendered: true)
}"""


def name_of(document: str) -> str:
    """The name of a document's operation."""
    return document.split(None, 2)[1].partition("(")[0]
