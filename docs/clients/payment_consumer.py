"""Takes payment-service's place: reads every order's id and status, and commits what it has read.

Needs Debian's python3-kafka and nothing else, and a platform that lets clients in without a login:
./orderly up --open-kafka. The arguments are the brokers' addresses.
"""
import json
import sys

from kafka import KafkaConsumer

consumer = KafkaConsumer(
    'order-service',
    bootstrap_servers=sys.argv[1:] or ['localhost:9092'],
    group_id='payment-consumer-group',
    auto_offset_reset='earliest',
    enable_auto_commit=False)
for record in consumer:
    order = json.loads(record.value)
    print(order['id'], order['status'], flush=True)
    consumer.commit()
