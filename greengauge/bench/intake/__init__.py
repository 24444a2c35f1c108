"""The parts of `greengauge bench ingest`: workload, source, rivals, and one file a figure."""
