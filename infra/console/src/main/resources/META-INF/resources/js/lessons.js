// Guided lessons: text, a button that does the step for real, and what to look at. Here is the frame; what they
// teach is in lesson-steps.js.
import { html, useEffect, useState } from './preact.js';
import { Failure, NotForYou, duration } from './elements.js';
import { hasRole, read, write } from './store.js';
import { LESSONS } from './lesson-steps.js';

export function Lessons({ id, session }) {
  const lesson = LESSONS.find((one) => one.id === id);
  if (!lesson) {
    return html`<div class="head"><div><h1 tabindex="-1">Lessons</h1>
        <p class="lead">Each step is done for real, on the system that you see on the map.</p></div></div>
      <ul class="lessons">${LESSONS.map((one) => html`<li key=${one.id} class="card"><h2>
        <a href=${`#/lessons/${one.id}`}>${one.title}</a></h2>
        <p>${one.about}</p><p class="muted">${one.steps.length} steps</p></li>`)}</ul>`;
  }
  return html`<div class="head"><div><p><a href="#/lessons">Lessons</a></p><h1 tabindex="-1">${lesson.title}</h1>
      <p class="lead">${lesson.about}</p></div></div>
    ${!session.demo ? html`<p
      class="notice">Only a demonstration lets the console do the steps; here they can be read.</p>`
      : !hasRole(session, 'operator') && html`<${NotForYou} who="operators to try out"
        person="olga">The steps stop parts of the system. You can read on.<//>`}
    <${Steps} key=${lesson.id} lesson=${lesson} may=${session.demo && hasRole(session, 'operator')} />`;
}

/** What a step finds is there for the later ones, also when the page is left between two. */
function Steps({ lesson, may }) {
  const [context, setContext] = useState(read(`lesson.${lesson.id}`) ?? {});
  useEffect(() => write(`lesson.${lesson.id}`, context), [context]);
  const learn = (step, result) => setContext((before) => ({ ...before, ...result.facts,
    [`done.${step}`]: result.seen }));
  return html`<ol class="steps">${lesson.steps.map((step, index) => html`
      <${Step} key=${index} step=${step} number=${index + 1} may=${may} context=${context} learn=${(result) =>
        learn(index, result)} />`)}</ol>
    <p><button class="quiet" onClick=${() => setContext({})}>Start again</button></p>`;
}

function Step({ step, number, may, context, learn }) {
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState(null);
  const seen = context[`done.${number - 1}`];
  const run = async () => {
    setRunning(true);
    setProblem(null);
    const begun = performance.now();
    try {
      const result = await step.run(context);
      learn({ ...result, seen: { lines: result.lines, took: performance.now() - begun } });
    } catch (failed) {
      setProblem(failed);
    }
    setRunning(false);
  };
  return html`<li class=${`card step-card ${seen ? 'done' : ''}`}>
    <h2>${step.title}</h2>
    ${step.text.map((paragraph) => html`<p>${paragraph}</p>`)}
    ${step.run && html`<button class="primary" disabled=${!may} aria-busy=${running} onClick=${() => running || run()}>
      ${running ? 'Doing it …' : step.button}</button>`}
    <${Failure} problem=${problem} />
    <div aria-live="polite">${seen && html`<div class="seen"><p class="muted">Seen, in ${duration(seen.took)}:</p>
      <ul>${seen.lines.map((line) => html`<li>${line}</li>`)}</ul></div>`}</div>
    ${step.look && html`<p class="look"><strong>What to look at: </strong>${step.look(context)}</p>`}</li>`;
}
