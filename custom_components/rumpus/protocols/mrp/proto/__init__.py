"""The messages of MRP, made by script/protobuf from mrp.proto."""
