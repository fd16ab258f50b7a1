//! A recorder that prints what is recorded, as the exporter of a service would send it.

use std::sync::Arc;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// The recorder.
pub(crate) struct Printed;

impl Recorder for Printed {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        describe(&key, unit, &description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        describe(&key, unit, &description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        describe(&key, unit, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Line::of(key)))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(Line::of(key)))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Line::of(key)))
    }
}

fn describe(key: &KeyName, unit: Option<Unit>, description: &SharedString) {
    let unit = unit.map_or("none", |unit| unit.as_str());
    println!("# {} ({unit}): {description}", key.as_str());
}

/// A metric with its labels.
struct Line(String);

impl Line {
    fn of(key: &Key) -> Self {
        let label = |label: &metrics::Label| format!("{}={:?}", label.key(), label.value());
        let labels: Vec<String> = key.labels().map(label).collect();
        Line(format!("{}{{{}}}", key.name(), labels.join(",")))
    }
}

impl CounterFn for Line {
    fn increment(&self, value: u64) {
        println!("{} +{value}", self.0);
    }

    fn absolute(&self, value: u64) {
        println!("{} {value}", self.0);
    }
}

impl GaugeFn for Line {
    fn increment(&self, value: f64) {
        println!("{} +{value}", self.0);
    }

    fn decrement(&self, value: f64) {
        println!("{} -{value}", self.0);
    }

    fn set(&self, value: f64) {
        println!("{} {value}", self.0);
    }
}

impl HistogramFn for Line {
    fn record(&self, value: f64) {
        println!("{} {value}", self.0);
    }
}
