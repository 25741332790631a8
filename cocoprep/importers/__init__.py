"""Data sets in other forms, read as COCO's: MPII, LSP, YOLO pose, CVAT, Label Studio."""
