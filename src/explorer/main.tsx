import { render } from 'preact';
import { createApi } from './api.js';
import { App } from './app.js';
import { createSampler } from './sampler.js';
import './styles.css';

const api = createApi();
render(<App api={api} sampler={createSampler(api)} />, document.querySelector('#page')!);
