"""COCO's own files: annotations, ground truth, results, and fetching the official ones."""
