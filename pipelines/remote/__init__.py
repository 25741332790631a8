"""A build on an engine elsewhere: Dataflow, Flink, or any runner of Beam's."""
