"""The Beam side of cocoprep: the build pipeline, the runners it is made for, and the local run."""
