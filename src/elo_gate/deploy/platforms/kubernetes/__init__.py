"""Turns a cluster into a platform: `platform` has the verbs, `release` what is sent, `workload` what is seen."""
