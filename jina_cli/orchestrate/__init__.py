"""Flows and Deployments as Python objects: what their YAML says, said by keyword."""
