"""A good create body for every task type of the interface."""

from typing import Any

Obj = dict[str, Any]

IMAGE = "http://example.com/cow.jpg"
LEGACY: Obj = {"attachment": IMAGE, "objects_to_annotate": ["baby cow", "big cow"], "with_labels": True}
FRAMES: Obj = {"attachments": [IMAGE, "scaledata://owner/file"], "labels": ["Car", "Person"]}
BOX: Obj = {"objects_to_annotate": ["Cow"], "min_width": 10, "min_height": "10"}
VIDEO: Obj = {
    "attachment": "http://example.com/v.mp4",
    "geometries": {"box": BOX},
    "events_to_annotate": ["start", "stop"],
}
ATTRIBUTES: Obj = {
    "age": {"type": "category", "choices": [1, 2, 3], "description": "How old?"},
    "spots": {"type": "category", "choices": ["head", "back"], "allow_multiple": True},
    "weight": {"type": "number"},
    "heading": {"type": "angle"},
    "name": {"type": "text", "conditions": {"label_condition": {"label": "Calf"}}},
    "edge": {"type": "x_line", "conditions": {"attribute_conditions": [{"age": 2}]}},
}

BODIES: dict[str, Obj] = {
    "imageannotation": {
        "attachment": IMAGE,
        "geometries": {
            "box": {**BOX, "can_rotate": True},
            "polygon": {
                "objects_to_annotate": [
                    {"choice": "Field", "subchoices": ["Grass", {"choice": "Mud", "display": "M"}]}
                ],
                "min_vertices": 4,
            },
            "line": {"objects_to_annotate": ["Fence", "Cow"], "max_vertices": 2},
            "point": {"objects_to_annotate": ["Calf"]},
        },
        "annotation_attributes": ATTRIBUTES,
        "global_attributes": {
            "weather": {"choices": ["sun", "rain"]},
            "night": {"type": "boolean"},
            "count": {"type": "number"},
            "remark": {"type": "text"},
        },
        "padding": 10,
    },
    "annotation": {**LEGACY, "min_width": "30", "min_height": "30"},
    "polygonannotation": LEGACY,
    "lineannotation": LEGACY,
    "pointannotation": LEGACY,
    "cuboidannotation": {**LEGACY, "min_annotations": 1},
    "laneannotation": LEGACY,
    "segmentannotation": {"attachment": IMAGE, "labels": ["road", {"choice": "car"}], "allow_unlabeled": True},
    "videoannotation": VIDEO,
    "videoplaybackannotation": VIDEO,
    "videoboxannotation": {"attachments": [IMAGE], "objects_to_annotate": ["Car"]},
    "videocuboidannotation": {"attachments": [IMAGE], "objects_to_annotate": ["Car"]},
    "federal2dvideoannotation": {"attachments": [IMAGE]},
    "lidarannotation": FRAMES,
    "lidarsegmentation": {"lidar_task": "0" * 24, "labels": ["Car"]},
    "lidartopdown": {"attachments": [IMAGE], "geometries": {"polygon": {"objects_to_annotate": ["Lane"]}}},
    "lidarlinking": {"lidar_task": "0" * 24},
    "sensorfusion": {"attachments": ["http://example.com/scene.json"]},
    "categorization": {
        "attachment": "http://www.example.com/",
        "attachment_type": "website",
        "categories": ["public", "private"],
        "category_ids": {"1": "public", "2": "private"},
    },
    "comparison": {
        "attachments": ["a text", "another"],
        "attachment_type": "text",
        "choices": ["first", "second"],
        "fields": {"why": "Why?"},
    },
    "transcription": {
        "attachment": "http://www.example.com/",
        "attachment_type": "website",
        "fields": {"title": "Title of the page", "top": {"title": "Top result"}},
        "repeatable_fields": {"username": "Who", "comments": "How many"},
    },
    "datacollection": {"attachment": "http://www.example.com/", "fields": {"jobs": "Link to the jobs page"}},
    "textcollection": {
        "attachments": [{"type": "text", "content": "Some text."}, {"type": "website", "content": "http://e.com/"}],
        "title": "T",
        "responses_required": 2,
        "fields": [
            {"type": "text", "field_id": "t", "title": "Say", "required": True},
            {"type": "number", "field_id": "n", "max_responses_required": 3},
            {"type": "boolean", "field_id": "b"},
            {
                "type": "category",
                "field_id": "c",
                "choices": [{"label": "No", "value": "no"}, {"label": "Yes", "value": 1}],
                "max_choices": 2,
            },
            {
                "type": "field_set",
                "inline": True,
                "fields": [
                    {"type": "select", "field_id": "s", "choices": [{"label": "A", "value": "a"}]},
                    {"type": "text", "field_id": "u", "conditions": {"b": True}},
                ],
            },
        ],
    },
    "namedentityrecognition": {
        "text": "Anna 👋 lives in Bonn.",
        "labels": [
            {"name": "person", "description": "A human"},
            {"name": "city", "attributes": {"big": {"type": "boolean"}}},
        ],
    },
    "documenttranscription": {
        "attachment": IMAGE,
        "features": [{"type": "block", "label": "barcode"}, {"type": "group", "label": "g"}],
        "geometry": "polygon",
    },
    "documentmodel": {"attachments": [IMAGE]},
    "audiotranscription": {"attachment": "http://example.com/a.mp3", "verbatim": True},
    "phonecall": {"phone_number": "5055006865", "script": "Hi", "fields": {"name": "Name"}, "choices": ["yes", "no"]},
    "chat": {"prompt": "Hello?"},
    "chatexperimental": {},
    "chatlite": {},
    "multichat": {},
    "multistage": {},
}
