"""Request bodies -> documents.

parsing   JSON text -> values, with the keys that stood twice
yamltext  YAML text -> the same
conform   values -> a document of a message, as Go's decoder and encoder together would give it
body      media type, kind and fieldValidation: the one entry

Spec: k8s.io/apimachinery/pkg/runtime/serializer (json, yaml, protobuf; strict decoding); "Field validation" in the
API concepts.
"""
