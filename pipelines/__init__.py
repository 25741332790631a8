"""The Beam side: the build pipeline, and the runners it is made for. Imported as `cocoprep.pipelines`."""
